using System.Globalization;
using System.Text;
using System.Text.Json;
using RagOperator.Engine.Releases;
using RagOperator.Tests.Shared;

namespace RagOperator.Engine.Tests.Releases;

/// <summary>Two texts have the same canonical form if and only if they mean the same. Numbers come as the API server writes them (1.50 as 1.5,
/// 1e3 as 1000): it has no other form, and the canonical form keeps theirs.</summary>
public sealed class CanonicalJsonModelTests
{
    private static readonly string[] s_keys = ["name", "a", "B", "b", "z", "ü", "key with \"quotes\"", "", "😀", "null"];

    private static readonly string[] s_texts = ["", "x", "y", "true", "1", "null", "ü", "😀", "a\\b\"c", "line\nbreak\t", "</>&'", "\u0001", "\u2028"];

    private static readonly string[] s_numbers = ["0", "1", "-1", "8000", "1.5", "0.1", "9007199254740993", "1e+21", "1e-7", "-0.25"];

    [Fact]
    public void Way_of_writing_never_counts() => Seeded.Each(3000, static random =>
    {
        var value = Value(random, 4);
        var one = Canonical(Text(value, random));
        var two = Canonical(Text(value, random));
        Assert.Equal(one, two);
        Assert.Equal(one, Canonical(one)); // it is its own canonical form
        // And it still says the same: read by its plain text, every leaf is there.
        Assert.Equal(Leaves(value).Order(StringComparer.Ordinal), Leaves(Parse(one)).Order(StringComparer.Ordinal));
    });

    [Fact]
    public void Any_change_of_a_value_counts() => Seeded.Each(3000, static random =>
    {
        var value = new Dictionary<string, object?>(StringComparer.Ordinal) { ["root"] = Value(random, 4) };
        var changed = Change(value, random);
        var (before, after) = (Text(value, random), Text(changed, random));
        Assert.True(Canonical(before) != Canonical(after), $"{before}\nand\n{after}\nare the same: {Canonical(after)}");
    });

    private static string Canonical(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Encoding.UTF8.GetString(CanonicalJson.Bytes(document.RootElement));
    }

    /// <summary>A dictionary, a list, a string, a boolean, or a number as its text in a one-element array.</summary>
    private static object Value(Random random, int depth) => random.Next(depth == 0 ? 3 : 6) switch
    {
        0 => Pick(s_texts, random),
        1 => random.Next(2) == 0,
        2 => new Number(Pick(s_numbers, random)),
        3 => Enumerable.Range(0, random.Next(4)).Select(_ => (object?)Value(random, depth - 1)).ToList(),
        4 => Named(random, depth - 1),
        _ => Map(random, depth - 1),
    };

    private static Dictionary<string, object?> Map(Random random, int depth) =>
        s_keys.Where(_ => random.Next(3) == 0).ToDictionary(static k => k, _ => (object?)Value(random, depth), StringComparer.Ordinal);

    private static NamedList Named(Random random, int depth)
    {
        var list = new NamedList();
        foreach (var name in s_texts.Where(_ => random.Next(4) == 0))
        {
            var item = Map(random, depth);
            item["name"] = name;
            list.Add(item);
        }

        return list;
    }

    /// <summary>The value as JSON, in one of the many ways to write it.</summary>
    private static string Text(object? value, Random random)
    {
        var blank = random.Next(3) == 0 ? " \n" : "";
        switch (value)
        {
            case Dictionary<string, object?> map:
                var members = map.Select(m => $"{blank}{Quoted(m.Key, random)}{blank}:{Text(m.Value, random)}").ToList();
                // What has no value is not there.
                foreach (var absent in s_keys.Where(k => !map.ContainsKey(k) && random.Next(6) == 0)) members.Add($"{Quoted(absent, random)}: null");
                return $"{{{string.Join(",", members.OrderBy(_ => random.Next()))}{blank}}}";
            case NamedList named:
                return $"[{string.Join(",", named.OrderBy(_ => random.Next()).Select(i => Text(i, random)))}]";
            case List<object?> list:
                return $"[{blank}{string.Join($"{blank},", list.Select(i => Text(i, random)))}]";
            case string text: return Quoted(text, random);
            case bool flag: return flag ? "true" : "false";
            case Number number: return number.Text + blank;
            default: return "null";
        }
    }

    private static string Quoted(string text, Random random)
    {
        var result = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            // A character beyond the first plane is escaped as a pair or not at all.
            if (rune.Value < ' ' || rune.Value is '"' or '\\' || random.Next(4) == 0)
            {
                var digits = random.Next(2) == 0 ? "x4" : "X4";
                foreach (var unit in rune.ToString()) result.Append("\\u").Append(((int)unit).ToString(digits, CultureInfo.InvariantCulture));
            }
            else
            {
                result.Append(rune.Value == '/' && random.Next(2) == 0 ? "\\/" : rune.ToString());
            }
        }

        return result.Append('"').ToString();
    }

    /// <summary>A copy with one thing changed, somewhere.</summary>
    private static object? Change(object? value, Random random)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                var members = new Dictionary<string, object?>(map, StringComparer.Ordinal);
                var spare = s_keys.Where(k => !map.ContainsKey(k)).ToList();
                var key = map.Count > 0 ? map.Keys.ElementAt(random.Next(map.Count)) : null;
                // A member's name is part of a named list's identity there: it changes like any other value.
                switch (random.Next(5))
                {
                    case 0 when spare.Count > 0:
                        members[spare[random.Next(spare.Count)]] = "new";
                        return members;
                    case 1 when key is not null and not "root":
                        members.Remove(key);
                        return members;
                    case 2 when key is not null and not "root" && spare.Count > 0:
                        members.Remove(key);
                        members[spare[random.Next(spare.Count)]] = map[key];
                        return members;
                    default:
                        if (key is null)
                        {
                            members["a"] = false;
                            return members;
                        }

                        members[key] = Change(map[key], random);
                        return members;
                }

            case NamedList named when named.Count > 0:
                var copy = new NamedList();
                copy.AddRange(named);
                var at = random.Next(copy.Count);
                if (random.Next(2) == 0)
                {
                    copy.RemoveAt(at);
                    return copy;
                }

                var changed = new Dictionary<string, object?>((Dictionary<string, object?>)copy[at]!, StringComparer.Ordinal);
                changed["a"] = changed.TryGetValue("a", out var a) ? Change(a, random) : "new";
                copy[at] = changed;
                return copy;
            case List<object?> list when list.Count > 0:
                var items = new List<object?>(list);
                var index = random.Next(items.Count);
                switch (random.Next(3))
                {
                    case 0:
                        items.RemoveAt(index);
                        break;
                    case 1:
                        items.Insert(index, "a new one");
                        break;
                    default:
                        items[index] = Change(items[index], random);
                        break;
                }

                return items;
            case string text: return text + "!";
            case bool flag: return random.Next(2) == 0 ? !flag : flag ? "true" : "false"; // also another type of the same look
            case Number number: return random.Next(2) == 0 ? number.Text : new Number(number.Text == "7" ? "8" : "7");
            default: return "was empty";
        }
    }

    private static object? Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return From(document.RootElement);

        static object? From(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().ToDictionary(static m => m.Name, static m => From(m.Value), StringComparer.Ordinal),
            JsonValueKind.Array => element.EnumerateArray().Select(From).ToList(),
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number => new Number(element.GetRawText()),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };
    }

    private static IEnumerable<string> Leaves(object? value) => value switch
    {
        Dictionary<string, object?> map => map.SelectMany(static m => Leaves(m.Value).Select(l => $"{m.Key}/{l}")),
        List<object?> list => list.SelectMany(Leaves),
        Number number => [number.Text],
        _ => [$"{value}"],
    };

    private static T Pick<T>(T[] from, Random random) => from[random.Next(from.Length)];

    private sealed record Number(string Text);

    /// <summary>A list of things with names of their own: a set.</summary>
    private sealed class NamedList : List<object?>;
}
