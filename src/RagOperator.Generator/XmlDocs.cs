using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using RagOperator.Abstractions.Attributes;

namespace RagOperator.Generator;

/// <summary>Summaries of types and properties, from the XML files that the compiler puts beside each assembly.</summary>
internal static partial class XmlDocs
{
    private static readonly ConcurrentDictionary<Assembly, Dictionary<string, string>> _files = new();

    public static string Of(Type type) => type.GetCustomAttribute<DescriptionAttribute>()?.Description ?? Find(type.Assembly, $"T:{type.FullName}");

    public static string Of(PropertyInfo property) =>
        property.GetCustomAttribute<DescriptionAttribute>()?.Description
        ?? Find(property.DeclaringType!.Assembly, $"P:{property.DeclaringType.FullName}.{property.Name}");

    private static string Find(Assembly assembly, string member) =>
        _files.GetOrAdd(assembly, Load).TryGetValue(member, out var text) ? text : throw new InvalidOperationException($"{member} has no summary");

    private static Dictionary<string, string> Load(Assembly assembly) =>
        XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(static m => m.Element("summary") is not null)
            .ToDictionary(static m => m.Attribute("name")!.Value, static m => Text(m.Element("summary")!), StringComparer.Ordinal);

    private static string Text(XElement summary)
    {
        foreach (var reference in summary.Descendants("see").ToList())
            reference.ReplaceWith(reference.Attribute("cref")!.Value.Split('.')[^1]);
        return Blanks().Replace(summary.Value, " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
