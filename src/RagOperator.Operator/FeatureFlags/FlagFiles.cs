using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.FeatureFlags;

/// <summary>The two files that a receiving component finds in its flags folder.</summary>
public static class FlagFiles
{
    /// <summary>The file in flagd's flag definition schema.</summary>
    public const string JsonFile = "flags.json";

    /// <summary>The file of shell variables.</summary>
    public const string EnvFile = "flags.env";

    private const string Schema = "https://flagd.dev/schema/v0/flags.json";
    private const string Header = "# Feature flags of this component revision. Written by rag-operator; the files follow without a restart.\n";

    // Relaxed: the file is read by machines and people, never by a browser.
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The contents by file name. Never empty: a file that is there but empty reads as a failure to many a parser.</summary>
    /// <param name="flags">Each flag and whether it is on.</param>
    public static IReadOnlyDictionary<string, string> Write(IReadOnlyDictionary<string, bool> flags) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [JsonFile] = WriteJson(flags),
        [EnvFile] = WriteEnv(flags),
    };

    /// <summary>The flags that the files say; null where they are not exactly as the operator writes them.</summary>
    /// <param name="files">Contents by file name.</param>
    public static IReadOnlyDictionary<string, bool>? Read(IReadOnlyDictionary<string, string>? files)
    {
        if (files is null || !files.TryGetValue(JsonFile, out var text) || Parse(text) is not { } flags) return null;
        var expected = Write(flags);
        return files.Count == expected.Count && expected.All(e => files.TryGetValue(e.Key, out var found) && string.Equals(found, e.Value, StringComparison.Ordinal))
            ? flags
            : null;
    }

    /// <summary>The variable of a flag: <c>FEATURE_EXPERIENCE_REPLAY</c>.</summary>
    /// <param name="flag">The flag's name.</param>
    public static string Variable(string flag)
    {
        ArgumentNullException.ThrowIfNull(flag);
        return $"FEATURE_{flag.ToUpperInvariant().Replace('-', '_')}";
    }

    private static string WriteJson(IReadOnlyDictionary<string, bool> flags)
    {
        var definitions = new JsonObject();
        foreach (var (name, on) in Ordered(flags))
        {
            definitions[name] = new JsonObject
            {
                ["state"] = "ENABLED",
                ["variants"] = new JsonObject { ["on"] = true, ["off"] = false },
                ["defaultVariant"] = on ? "on" : "off",
            };
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            new JsonObject { ["$schema"] = Schema, ["flags"] = definitions }.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static string WriteEnv(IReadOnlyDictionary<string, bool> flags) =>
        Header + string.Concat(Ordered(flags).Select(static f => $"{Variable(f.Key)}={(f.Value ? "true" : "false")}\n"));

    private static IEnumerable<KeyValuePair<string, bool>> Ordered(IReadOnlyDictionary<string, bool> flags) =>
        flags.OrderBy(static f => f.Key, StringComparer.Ordinal);

    private static Dictionary<string, bool>? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.Member("flags") is not { ValueKind: JsonValueKind.Object } definitions) return null;
            return definitions.EnumerateObject().ToDictionary(
                static f => f.Name,
                static f => string.Equals(f.Value.Text("defaultVariant"), "on", StringComparison.Ordinal),
                StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return null;
        }
    }
}
