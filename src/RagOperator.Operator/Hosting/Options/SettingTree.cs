using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value found; null where there is none.</param>
/// <param name="Rule">What is allowed.</param>
/// <param name="Origin">Where the value is from; null where there is none.</param>
internal sealed record SettingProblem(string Key, string? Value, string Rule, string? Origin)
{
    /// <summary><c>key: "value" (from origin): rule</c>.</summary>
    public override string ToString() =>
        Value is null ? $"{Key}: {Rule}" : $"{Key}: \"{Sla.ShortText.Clean(Value)}\" (from {Origin}): {Rule}";
}

/// <summary>Values by key, layer over layer: file, environment, command line. Keys are compared without regard to case, since the environment
/// writes them in capitals.</summary>
internal sealed class SettingTree
{
    /// <summary>How variables of the environment begin.</summary>
    public const string EnvironmentPrefix = "RAGOPERATOR_";

    private readonly SortedDictionary<string, (string Value, string Origin)> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _asked = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All keys, in order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Keys that nobody has asked for.</summary>
    public IEnumerable<(string Key, string Value, string Origin)> Unknown =>
        _values.Where(v => !_asked.Contains(v.Key) && v.Value.Value.Length > 0).Select(static v => (v.Key, v.Value.Value, v.Value.Origin));

    /// <summary>Sets a value; whatever lay below its key is replaced, so that a list from the environment replaces one from the file.</summary>
    public void Set(string key, string value, string origin)
    {
        foreach (var below in _values.Keys.Where(k => k.StartsWith($"{key}.", StringComparison.OrdinalIgnoreCase)).ToList()) _values.Remove(below);
        _values[key] = (value, origin);
    }

    /// <summary>The value and where it is from; null where it is absent or empty.</summary>
    public (string Value, string Origin)? Get(string key)
    {
        _asked.Add(key);
        return _values.TryGetValue(key, out var found) && found.Value.Length > 0 ? found : null;
    }

    /// <summary>The names directly below a key, in lower case.</summary>
    public IReadOnlyList<string> Children(string key) => [.. ChildrenAsWritten(key).Select(static c => c.ToLowerInvariant()).Distinct(StringComparer.Ordinal)];

    /// <summary>The names directly below a key, in the letters of whoever wrote them.</summary>
    public IReadOnlyList<string> ChildrenAsWritten(string key) =>
    [
        .. _values.Keys
            .Where(k => k.StartsWith($"{key}.", StringComparison.OrdinalIgnoreCase))
            .Select(k => k[(key.Length + 1)..].Split('.')[0])
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Reads a file of YAML or JSON.</summary>
    public IEnumerable<SettingProblem> AddFile(string path)
    {
        var problems = new List<SettingProblem>();
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents.Count > 0) AddNode("", yaml.Documents[0].RootNode, path, problems);
        }
        catch (YamlException e)
        {
            problems.Add(new("config", path, $"line {e.Start.Line}: this is neither YAML nor JSON: {Sla.ShortText.Clean(e.Message)}", "command line or environment"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new("config", path, "the file must exist and be readable", "command line or environment"));
        }

        return problems;
    }

    /// <summary>Reads variables like <c>RAGOPERATOR_HTTP__PORT</c>: two underscores for each dot.</summary>
    public void AddEnvironment(IEnumerable<KeyValuePair<string, string>> variables)
    {
        foreach (var (name, value) in variables.OrderBy(static v => v.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)) continue;
            var key = name[EnvironmentPrefix.Length..].Replace("__", ".", StringComparison.Ordinal);
            if (!key.Equals("config", StringComparison.OrdinalIgnoreCase)) Set(key, value, name);
        }
    }

    private void AddNode(string key, YamlNode node, string origin, List<SettingProblem> problems)
    {
        switch (node)
        {
            case YamlScalarNode { Value: var text } scalar:
                var isNull = scalar.Style == ScalarStyle.Plain && text is null or "" or "~" or "null";
                if (key.Length > 0 && !isNull) Set(key, text!, $"{origin}, line {node.Start.Line}");
                else if (key.Length == 0 && !isNull) problems.Add(new("config", text, "a mapping of keys is needed", origin));
                break;
            case YamlSequenceNode list:
                for (var i = 0; i < list.Children.Count; i++) AddNode($"{key}.{i}", list.Children[i], origin, problems);
                break;
            case YamlMappingNode map:
                // An empty mapping is there all the same: a source without an address must be told, not passed over.
                if (map.Children.Count == 0 && key.Length > 0) Set(key, "", $"{origin}, line {node.Start.Line}");
                foreach (var (name, value) in map.Children)
                {
                    var text = (name as YamlScalarNode)?.Value ?? "";
                    if (text.Length == 0 || text.Contains('.', StringComparison.Ordinal))
                        problems.Add(new(key.Length == 0 ? "config" : key, text, "a key must not be empty and has no dot", $"{origin}, line {name.Start.Line}"));
                    else AddNode(key.Length == 0 ? text : $"{key}.{text}", value, origin, problems);
                }

                break;
        }
    }
}
