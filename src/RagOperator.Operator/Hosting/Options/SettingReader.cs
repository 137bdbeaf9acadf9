using System.Globalization;
using RagOperator.Api.Values;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>Reads values of a <see cref="SettingTree"/> and notes all that is wrong, so that it can be said at once.</summary>
internal sealed class SettingReader(SettingTree tree)
{
    private readonly List<SettingProblem> _problems = [];

    /// <summary>What was wrong so far.</summary>
    public List<SettingProblem> Problems => _problems;

    /// <summary>The values.</summary>
    public SettingTree Tree => tree;

    /// <summary>Notes a problem with a key.</summary>
    public void Wrong(string key, string rule) => _problems.Add(new(key, tree.Get(key)?.Value, rule, tree.Get(key)?.Origin));

    /// <summary>A text, or null.</summary>
    public string? Text(string key) => tree.Get(key)?.Value;

    /// <summary>A text for which something holds, or null.</summary>
    public string? Text(string key, Func<string, bool> holds, string rule)
    {
        if (Text(key) is not { } text) return null;
        if (holds(text)) return text;
        Wrong(key, rule);
        return null;
    }

    /// <summary>The path of a file that is there, or null.</summary>
    public string? File(string key)
    {
        if (Text(key) is not { } path || System.IO.File.Exists(path)) return Text(key);
        // What does not look like a path may be the secret itself, put where its file belongs: it is not repeated.
        if (path.StartsWith('/') || path.StartsWith('.')) Wrong(key, "the file must exist");
        else _problems.Add(new(key, null, "the path of a file that exists, beginning with / or .", null));
        return null;
    }

    /// <summary>A duration within bounds.</summary>
    public TimeSpan Duration(string key, TimeSpan otherwise, TimeSpan least, TimeSpan most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (RagDuration.TryParse(text, out var value) && value >= least && value <= most) return value;
        Wrong(key, $"{RagDuration.Form}, {RagDuration.Format(least)} to {RagDuration.Format(most)}");
        return otherwise;
    }

    /// <summary>A whole number within bounds.</summary>
    public int Number(string key, int otherwise, int least, int most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        Wrong(key, $"a whole number, {least} to {most}");
        return otherwise;
    }

    /// <summary>A number of bytes within bounds.</summary>
    public int Bytes(string key, int otherwise, int least, int most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (LimitValue.TryParse(text, out var value, out var unit) && unit.Suffix is "" or "k" or "Ki" or "M" or "Mi" && value >= least && value <= most) return (int)value;
        Wrong(key, $"a number of bytes like 512Ki or 1Mi, {least} to {most}");
        return otherwise;
    }

    /// <summary>True or false.</summary>
    public bool Flag(string key, bool otherwise)
    {
        if (Text(key) is not { } text) return otherwise;
        if (bool.TryParse(text, out var value)) return value;
        Wrong(key, "true or false");
        return otherwise;
    }

    /// <summary>One of several words; its place among them.</summary>
    public int Choice(string key, int otherwise, params string[] words)
    {
        if (Text(key) is not { } text) return otherwise;
        var place = Array.FindIndex(words, w => w.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (place >= 0) return place;
        Wrong(key, $"one of {string.Join(", ", words)}");
        return otherwise;
    }

    /// <summary>An absolute http or https address without a user name, or null.</summary>
    public Uri? Address(string key)
    {
        var text = Text(
            key,
            static t => Uri.TryCreate(t, UriKind.Absolute, out var u) && u.Scheme is "http" or "https" && u.UserInfo.Length == 0 && u.Fragment.Length == 0,
            "an http or https address; user name and password belong into basicAuth");
        return text is null ? null : new Uri(text);
    }

    /// <summary>A list: of the file, or one text with commas.</summary>
    public IReadOnlyList<string> List(string key, Func<string, bool> holds, string rule)
    {
        var keys = Text(key) is not null ? [key] : tree.Children(key).Select(c => $"{key}.{c}").ToList();
        var items = new List<string>();
        foreach (var each in keys)
        {
            foreach (var item in (Text(each) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (holds(item)) items.Add(item);
                else Wrong(each, rule);
            }
        }

        return items;
    }
}
