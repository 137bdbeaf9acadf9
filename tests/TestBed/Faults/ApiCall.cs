using System.Net;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Faults;

/// <summary>What a request to the API server is about, read from its method and path.</summary>
/// <param name="Verb">create, update, patch, delete, get, list or watch.</param>
/// <param name="Resource">The plural with its subresource: <c>ragdeployments/status</c>; empty for paths that are no resources.</param>
/// <param name="Namespace">Empty for all of them.</param>
/// <param name="Name">Empty for collections; of a creation taken from its body.</param>
/// <param name="DryRun">Whether nothing is to be kept of it.</param>
public sealed record ApiCall(string Verb, string Resource, string Namespace, string Name, bool DryRun)
{
    /// <summary>Whether it may change something for good.</summary>
    public bool IsWrite => Verb is "create" or "update" or "patch" or "delete" && !DryRun;

    /// <summary>Whether it belongs to the trajectory: events and the lease are no deeds.</summary>
    public bool Counts => IsWrite && Resource is not ("events" or "leases" or "");

    /// <summary>The resource without its subresource.</summary>
    public string Kind => Resource.Split('/')[0];

    /// <summary>Whether the server keeps nothing of it: it only answers.</summary>
    public bool IsRead => Verb is "get" or "list" || DryRun;

    /// <summary>What it is, the same in each run: <c>patch httproutes assistant</c>, <c>dry-run create httproutes</c>.</summary>
    public string Key => $"{(DryRun ? "dry-run " : "")}{Verb} {Resource} {Name}".TrimEnd();

    /// <summary>Reads a request.</summary>
    /// <param name="method">Its method.</param>
    /// <param name="path">Its path, without query.</param>
    /// <param name="query">Its query, with or without the question mark.</param>
    /// <param name="body">Its body, for the name of what it creates.</param>
    public static ApiCall Of(string method, string path, string query, ReadOnlyMemory<byte> body)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var rest = parts switch
        {
            ["api", _, .. var core] => core,
            ["apis", _, _, .. var grouped] => grouped,
            _ => [],
        };
        var ns = "";
        if (rest is ["namespaces", var within, _, ..])
            (ns, rest) = (within, rest[2..]);
        var (resource, name) = rest switch
        {
            [var plural] => (plural, ""),
            [var plural, var item] => (plural, item),
            [var plural, var item, var sub, ..] => ($"{plural}/{sub}", item),
            _ => ("", ""),
        };
        var parameters = WebUtility.UrlDecode(query.TrimStart('?')).Split('&');
        var verb = method switch
        {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ when Array.Exists(parameters, p => p is "watch=true" or "watch=1") => "watch",
            _ => name.Length > 0 ? "get" : "list",
        };
        if (verb == "create" && name.Length == 0)
            name = NameIn(body);
        return new ApiCall(verb, resource, ns, name, Array.Exists(parameters, p => p.StartsWith("dryRun=", StringComparison.Ordinal)));
    }

    private static string NameIn(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonNode.Parse(body.Span)?["metadata"]?["name"]?.GetValue<string>() ?? "";
        }
        catch (System.Text.Json.JsonException)
        {
            return "";
        }
    }
}
