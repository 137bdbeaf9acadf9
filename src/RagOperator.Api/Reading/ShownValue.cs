using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace RagOperator.Api.Reading;

/// <summary>How a value found in a spec is shown in a problem: on one line and bounded.</summary>
internal static class ShownValue
{
    /// <summary>Any value that a rule may have looked at.</summary>
    public static string Of(object? value) => value switch
    {
        null => "",
        string text => Cut(text),
        JsonElement { ValueKind: JsonValueKind.Undefined } => "",
        JsonElement { ValueKind: JsonValueKind.String } element => Cut(element.GetString()!),
        // never the inside: a template may hold what nobody should read in a status
        JsonElement { ValueKind: JsonValueKind.Array } element => $"{element.GetArrayLength()} items",
        JsonElement { ValueKind: JsonValueKind.Object } => "an object",
        JsonElement element => Cut(element.GetRawText()),
        ICollection items => $"{items.Count} items",
        IFormattable number => Cut(number.ToString(null, CultureInfo.InvariantCulture)),
        _ => Cut(value.ToString() ?? ""),
    };

    /// <summary>Cut to the length that is shown, control characters made blank.</summary>
    /// <param name="text">The text.</param>
    /// <param name="most">Characters that are shown at most.</param>
    public static string Cut(string text, int most = SpecLimits.ShownLength)
    {
        var shown = text.Length <= most ? text : string.Concat(text.AsSpan(0, most - 3), "...");
        return shown.AsSpan().IndexOfAnyInRange('\0', '\u001f') < 0 ? shown : string.Concat(shown.Select(static c => c < ' ' ? ' ' : c));
    }
}
