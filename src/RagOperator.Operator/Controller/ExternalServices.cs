using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Controller;

/// <summary>Ready addresses of Services that are not ours. No cache holds them, so they are read live, only while somebody waits for them.</summary>
internal sealed partial class ExternalServices(Cluster cluster, TimeProvider time, ILogger logger)
{
    /// <summary>How long an answer counts, and how soon the next one is wanted.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private readonly AddressBook _addresses = new(cluster);

    /// <summary>Brings what the object waits for up to date. What cannot be read is waited for like what is not ready.</summary>
    public async Task RefreshAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        foreach (var name in memory.ExternalAddresses.Keys.Except(memory.Externals, StringComparer.Ordinal).ToList()) memory.ExternalAddresses.Remove(name);
        foreach (var name in memory.Externals)
        {
            var now = time.GetUtcNow();
            if (memory.ExternalAddresses.TryGetValue(name, out var known) && now - known.At < Freshness) continue;
            // What cannot be read counts as not there for the same time: asking again at once would be a loop without a pause.
            memory.ExternalAddresses[name] = (await CountAsync(owner.Child(name), owner, memory, cancellationToken) ?? 0, now);
        }
    }

    private async Task<int?> CountAsync(NamespacedName key, ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        var (count, failure) = await _addresses.CountAsync(key, cancellationToken);
        if (failure is not null) return Unreadable(failure, key, owner, memory);
        return count > 0 ? count : await IsNameAsync(key, owner, memory, cancellationToken);
    }

    // A Service that is only a name for something outside the cluster never has addresses.
    private async Task<int?> IsNameAsync(NamespacedName key, ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        var path = $"{V1Service.EntityMetadata.Root}/namespaces/{Uri.EscapeDataString(key.Namespace)}/services/{Uri.EscapeDataString(key.Name)}";
        var answer = await cluster.Client.SendAsync(HttpMethod.Get, path, cancellationToken: cancellationToken);
        if (answer.Value is not { } body) return answer.Reason == ApiReason.NotFound ? 0 : Unreadable(answer, key, owner, memory);
        try
        {
            using var document = JsonDocument.Parse(body);
            return string.Equals(document.RootElement.Member("spec")?.Text("type"), "ExternalName", StringComparison.Ordinal) ? 1 : 0;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // To a person it looks like a Service without addresses; only the log can tell the difference.
    private int? Unreadable(ApiResult answer, NamespacedName key, ChildOwner owner, ObjectMemory memory)
    {
        var failure = answer.ToString();
        if (memory.IsNewError(failure)) LogUnreadable(logger, owner.Key, key.Name, failure);
        return null;
    }

    [LoggerMessage(102, LogLevel.Warning, "{Key} waits for {Service}, which cannot be read: {Failure}")]
    private static partial void LogUnreadable(ILogger logger, NamespacedName key, string service, string failure);
}
