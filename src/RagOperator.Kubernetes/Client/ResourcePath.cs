using System.Text;
using RagOperator.Abstractions;

namespace RagOperator.Kubernetes;

/// <summary>Paths of the API, each part escaped.</summary>
internal static class ResourcePath
{
    public static string Collection(EntityMetadata kind, string? ns) =>
        string.IsNullOrEmpty(ns) ? $"{kind.Root}/{kind.PluralName}" : $"{kind.Root}/namespaces/{Uri.EscapeDataString(ns)}/{kind.PluralName}";

    public static string Object(EntityMetadata kind, NamespacedName key, string? subresource = null)
    {
        if (key.Name.Length == 0) throw new ArgumentException($"An object of kind {kind.Kind} needs a name.", nameof(key));
        var path = $"{Collection(kind, key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
        return subresource is null ? path : $"{path}/{Uri.EscapeDataString(subresource)}";
    }

    public static string WithQuery(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (value is null) continue;
            text.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return text.ToString();
    }
}
