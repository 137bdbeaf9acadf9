using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>The two configurations by which the API server knows the webhook. Somebody else makes them; only <c>caBundle</c> is kept here, in each of their
/// webhooks, also after a hand or an upgrade has taken it away.</summary>
internal sealed partial class WebhookConfigurations(IKubernetesClient client, string name, ILogger<WebhookConfigurations> logger)
{
    /// <summary>Reads both, live.</summary>
    /// <returns>Those that are there, and what went wrong with the first that could not be read.</returns>
    public async Task<(IReadOnlyList<IWebhookConfiguration> Found, ApiResult? Failure)> ReadAsync(CancellationToken cancellationToken)
    {
        var key = new NamespacedName("", name);
        var validating = await client.GetAsync<V1ValidatingWebhookConfiguration>(key, cancellationToken);
        var mutating = await client.GetAsync<V1MutatingWebhookConfiguration>(key, cancellationToken);
        List<IWebhookConfiguration> found = [];
        if (validating.Value is { } one) found.Add(one);
        if (mutating.Value is { } other) found.Add(other);
        // Without them nobody calls; that is somebody's choice and no failure.
        return (found, ((ApiResult[])[validating, mutating]).FirstOrDefault(static r => !r.IsSuccess && r.Reason != ApiReason.NotFound));
    }

    /// <summary>Whether each webhook of a configuration trusts an authority.</summary>
    public static bool Trusts(IWebhookConfiguration configuration, PemPair authority) => Bundles(configuration).All(b => b.Contains(authority.Certificate.Trim(), StringComparison.Ordinal));

    /// <summary>Whether each webhook of a configuration has this very bundle.</summary>
    public static bool Has(IWebhookConfiguration configuration, string bundle) => Bundles(configuration).All(b => b == bundle);

    /// <summary>Writes the bundle.</summary>
    public async Task<ApiResult> TellAsync(IWebhookConfiguration configuration, string bundle, CancellationToken cancellationToken)
    {
        var webhooks = new JsonArray();
        foreach (var webhook in configuration.Webhooks ?? [])
        {
            var changed = webhook.ToNode()!.AsObject();
            if (changed["clientConfig"] is JsonObject connection) connection["caBundle"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(bundle));
            webhooks.Add((JsonNode)changed);
        }

        var patch = new JsonObject
        {
            // The list is written whole, so it must be the one that was read.
            ["metadata"] = new JsonObject { ["uid"] = configuration.Uid(), ["resourceVersion"] = configuration.ResourceVersion() },
            ["webhooks"] = webhooks,
        };
        var key = new NamespacedName("", name);
        ApiResult answer = configuration is V1ValidatingWebhookConfiguration
            ? await client.MergePatchAsync<V1ValidatingWebhookConfiguration>(patch, key, cancellationToken: cancellationToken)
            : await client.MergePatchAsync<V1MutatingWebhookConfiguration>(patch, key, cancellationToken: cancellationToken);
        if (answer.IsSuccess) LogTold(logger, configuration.Kind ?? configuration.GetType().Name, name);
        return answer;
    }

    private static IEnumerable<string> Bundles(IWebhookConfiguration configuration) => (configuration.Webhooks ?? []).Select(static w => Decoded(w.Member("clientConfig")?.Text("caBundle")));

    private static string Decoded(string? encoded)
    {
        var bytes = new byte[encoded?.Length ?? 0];
        return encoded is not null && Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.ASCII.GetString(bytes, 0, length) : "";
    }

    [LoggerMessage(313, LogLevel.Information, "Told {Kind} {Name} the certificate authority")]
    private static partial void LogTold(ILogger logger, string kind, string name);
}
