using System.Text.Json;
using RagOperator.Api.Resolved;

namespace RagOperator.Api.Reading;

/// <summary>Reads the fields of one JSON object by name. A field of a wrong type, a missing one and an unknown one become problems with
/// their path; the reading goes on with what is there. An explicit null is the same as a field left out.</summary>
internal sealed class FieldReader(JsonElement element, string path, ProblemList problems)
{
    private readonly List<string> _known = [];

    /// <summary>Reads one object and names the fields that the reading did not ask for.</summary>
    public static T Read<T>(JsonElement element, string path, ProblemList problems, Func<FieldReader, T> read)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new SpecProblem(path, ShownValue.Of(element), "must be an object"));
            using var nothing = JsonDocument.Parse("{}");
            return read(new FieldReader(nothing.RootElement, path, []));
        }

        var fields = new FieldReader(element, path, problems);
        var result = read(fields);
        fields.NameUnknown();
        return result;
    }

    public string? Text(string name, bool required = false) =>
        Find(name, required) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : Wrong<string>(name, value, "must be a string");

    public int? Number(string name, bool required = false) =>
        Find(name, required) is not { } value ? null
        : Whole(value) is { } number && number is >= int.MinValue and <= int.MaxValue ? (int)number
        : Refuse<int>(name, value, "must be a whole number");

    public long? LongNumber(string name, bool required = false) =>
        Find(name, required) is not { } value ? null : Whole(value) ?? Refuse<long>(name, value, "must be a whole number");

    public bool? Flag(string name, bool required = false) =>
        Find(name, required) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : Refuse<bool>(name, value, "must be true or false");

    /// <summary>An object that is carried through as it is.</summary>
    public JsonElement? Raw(string name, bool required = false) =>
        Find(name, required) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : Refuse<JsonElement>(name, value, "must be an object");

    /// <summary>A whole number or a string, as it is.</summary>
    public JsonElement? NumberOrText(string name) =>
        Find(name, required: false) is not { } value ? null
        : value.ValueKind == JsonValueKind.String || Whole(value) is not null ? value
        : Refuse<JsonElement>(name, value, "must be a whole number or a string");

    /// <summary>An object whose members are all strings.</summary>
    public Dictionary<string, string>? TextMap(string name)
    {
        if (Find(name, required: false) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Object)
            return Wrong<Dictionary<string, string>>(name, value, "must be an object of strings");
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.String)
                texts[member.Name] = member.Value.GetString()!;
            else if (member.Value.ValueKind != JsonValueKind.Null)
                problems.Add(new SpecProblem($"{At(name)}[{ShownValue.Cut(member.Name)}]", ShownValue.Of(member.Value), "must be a string; write it in quotes"));
        }

        return texts;
    }

    public T? One<T>(string name, Func<FieldReader, T> read, bool required = false)
        where T : class =>
        Find(name, required) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? Read(value, At(name), problems, read)
        : Wrong<T>(name, value, "must be an object");

    public List<T>? Many<T>(string name, Func<FieldReader, T> read, bool required = false)
    {
        if (Find(name, required) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Take(SpecLimits.ItemsRead).Select((item, i) => Read(item, $"{At(name)}[{i}]", problems, read))]
            : Wrong<List<T>>(name, value, "must be a list");
    }

    public List<string>? Texts(string name)
    {
        if (Find(name, required: false) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            return Wrong<List<string>>(name, value, "must be a list of strings");
        var texts = new List<string>();
        foreach (var item in value.EnumerateArray().Take(SpecLimits.ItemsRead))
        {
            if (item.ValueKind == JsonValueKind.String)
                texts.Add(item.GetString()!);
            else
                problems.Add(new SpecProblem($"{At(name)}[{texts.Count}]", ShownValue.Of(item), "must be a string"));
        }

        return texts;
    }

    private static long? Whole(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return null;
        if (value.TryGetInt64(out var whole))
            return whole;
        // 2.0 and 2e0 are whole numbers to an API server
        return value.TryGetDouble(out var real) && real == Math.Truncate(real) && Math.Abs(real) < 1e15 ? (long)real : null;
    }

    private JsonElement? Find(string name, bool required)
    {
        _known.Add(name);
        if (element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            return value;
        if (required)
            problems.Add(new SpecProblem(At(name), "", "is required"));
        return null;
    }

    private void NameUnknown()
    {
        foreach (var field in element.EnumerateObject())
        {
            if (!problems.IsFull && !_known.Contains(field.Name))
                problems.Add(new SpecProblem(At(ShownValue.Cut(field.Name)), ShownValue.Of(field.Value), $"is no field here; allowed are {string.Join(", ", _known)}"));
        }
    }

    private string At(string name) => $"{path}.{name}";

    private T? Wrong<T>(string name, JsonElement value, string rule)
        where T : class
    {
        problems.Add(new SpecProblem(At(name), ShownValue.Of(value), rule));
        return null;
    }

    private T? Refuse<T>(string name, JsonElement value, string rule)
        where T : struct
    {
        problems.Add(new SpecProblem(At(name), ShownValue.Of(value), rule));
        return null;
    }
}
