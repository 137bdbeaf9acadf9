using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace RagOperator.Kubernetes;

/// <summary>A place in a YAML file that knows its own path, so that each error can name file, field and value.</summary>
internal sealed class YamlView
{
    private readonly YamlNode _node;

    private YamlView(string file, string path, YamlNode node)
    {
        File = file;
        Path = path;
        _node = node;
    }

    /// <summary>The file that this is in.</summary>
    public string File { get; }

    /// <summary>Where in the file, for instance <c>clusters[0].cluster</c>.</summary>
    public string Path { get; }

    public static YamlView? Load(string file)
    {
        try
        {
            using var reader = new StreamReader(file);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents.Count == 0 ? null : new YamlView(file, "", yaml.Documents[0].RootNode);
        }
        catch (YamlException e)
        {
            throw new KubeConfigException($"{file}: line {e.Start.Line}: this is not YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException($"{file}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A mapping's member; null when absent or null.</summary>
    public YamlView? Get(string key)
    {
        if (_node is not YamlMappingNode map) throw Wrong("is not a mapping");
        foreach (var (k, value) in map.Children)
        {
            if (k is not YamlScalarNode { Value: { } name } || !string.Equals(name, key, StringComparison.Ordinal)) continue;
            return IsNull(value) ? null : new YamlView(File, Path.Length == 0 ? key : $"{Path}.{key}", value);
        }

        return null;
    }

    /// <summary>A text member; null when absent, null or empty.</summary>
    public string? Text(string key)
    {
        if (Get(key) is not { } child) return null;
        if (child._node is not YamlScalarNode scalar) throw child.Wrong("is not a string");
        return string.IsNullOrEmpty(scalar.Value) ? null : scalar.Value;
    }

    /// <summary>A text member that must be there.</summary>
    public string Required(string key) => Text(key) ?? throw Wrong($"has no {key}");

    /// <summary>A boolean member; false when absent.</summary>
    public bool Flag(string key) => Text(key) switch
    {
        null => false,
        "true" => true,
        "false" => false,
        var other => throw Get(key)!.Wrong($"is \"{other}\", not true or false"),
    };

    /// <summary>The items of a list member; none when absent.</summary>
    public IReadOnlyList<YamlView> Items(string key)
    {
        if (Get(key) is not { } child) return [];
        if (child._node is not YamlSequenceNode list) throw child.Wrong("is not a list");
        return [.. list.Children.Select((node, i) => new YamlView(File, $"{child.Path}[{i}]", node))];
    }

    /// <summary>This item as text.</summary>
    public string AsText() => _node is YamlScalarNode { Value: { } text } ? text : throw Wrong("is not a string");

    public KubeConfigException Wrong(string what, Exception? inner = null) => new($"{File}: {(Path.Length == 0 ? "the document" : Path)} {what}.", inner);

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain or ScalarStyle.Any, Value: null or "" or "~" or "null" or "Null" or "NULL" };
}
