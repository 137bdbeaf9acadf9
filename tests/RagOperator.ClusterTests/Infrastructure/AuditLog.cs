using System.Text.Json;

namespace RagOperator.ClusterTests.Infrastructure;

/// <summary>One write that the API server accepted.</summary>
/// <param name="At">When it had answered.</param>
/// <param name="Resource">Plural, with <c>/status</c> where it is one.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Verb">create, patch, update, delete.</param>
/// <param name="UserAgent">Whose it is.</param>
/// <param name="Object">The object as answered; undefined where the log does not keep bodies.</param>
public sealed record AcceptedWrite(DateTimeOffset At, string Resource, string Name, string Verb, string UserAgent, JsonElement Object)
{
    /// <summary>The weight that this write of a route gives to a Service.</summary>
    public int WeightOf(string service) => Object.GetProperty("spec").GetProperty("rules").EnumerateArray()
        .SelectMany(rule => rule.GetProperty("backendRefs").EnumerateArray())
        .Where(backend => backend.GetProperty("name").GetString() == service)
        .Sum(backend => backend.TryGetProperty("weight", out var weight) ? weight.GetInt32() : 1);
}

/// <summary>The API server's own record of writes.</summary>
public static class AuditLog
{
    /// <summary>The accepted writes in a namespace, in order.</summary>
    public static IReadOnlyList<AcceptedWrite> Of(string file, string namespaceName)
    {
        var writes = new List<AcceptedWrite>();
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.Contains($"\"{namespaceName}\"", StringComparison.Ordinal) || !line.EndsWith('}'))
                continue;
            var entry = JsonElement.Parse(line);
            if (entry.GetProperty("stage").GetString() != "ResponseComplete" || !entry.TryGetProperty("objectRef", out var about)
                || Text(about, "namespace") != namespaceName || entry.GetProperty("responseStatus").GetProperty("code").GetInt32() >= 300
                || Text(entry, "requestURI").Contains("dryRun", StringComparison.Ordinal))
                continue;
            var name = Text(about, "name");
            var answered = entry.TryGetProperty("responseObject", out var body) ? body : default;
            if (name.Length == 0 && answered.ValueKind == JsonValueKind.Object && answered.TryGetProperty("metadata", out var metadata))
                name = Text(metadata, "name");
            var sub = Text(about, "subresource");
            writes.Add(new AcceptedWrite(
                entry.GetProperty("stageTimestamp").GetDateTimeOffset(), Text(about, "resource") + (sub.Length > 0 ? $"/{sub}" : ""), name,
                Text(entry, "verb"), Text(entry, "userAgent"), answered));
        }

        return writes;
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
