using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.ClusterTests.Rights;

/// <summary>What people and the webhook do: a bad spec at the door, keys and configurations that hands have touched, an approval.</summary>
internal sealed partial class RightsWorld
{
    private const string Person = "ann";

    private static readonly string[] s_configurations = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];

    /// <summary>Somebody who may approve, and only here.</summary>
    private IEnumerable<JsonObject> PersonWhoApproves() => HelmChart.Objects($$"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: approver, namespace: {{_name}} }
        rules: [{apiGroups: [ragoperator.dev], resources: [ragdeployments], verbs: [get, patch, approve]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: approver, namespace: {{_name}} }
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: approver}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{Person}} }]
        """);

    /// <summary>The webhook refuses, and goes on doing so after a hand has taken away what it needs.</summary>
    private async Task WebhookKeptAsync()
    {
        await RefusesAsync("the webhook refuses a bad spec");
        foreach (var resource in s_configurations)
        {
            var path = $"/apis/admissionregistration.k8s.io/v1/{resource}/{_name}";
            await UntilAsync(() => HasBundleAsync(path), $"{resource} know the webhook's authority");
            await _space.Api.SendAsync(HttpMethod.Patch, path, """[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]""", "application/json-patch+json");
            await UntilAsync(() => HasBundleAsync(path), $"{resource} know the webhook's authority again");
        }

        var secret = $"/api/v1/namespaces/{ChartRights.Home}/secrets/{_name}-webhook";
        await _space.Api.PatchAsync(secret, """{"data":{"stamp.key":null}}""");
        await UntilAsync(async () => (await _space.Api.GetAsync(secret))!.Value.GetProperty("data").TryGetProperty("stamp.key", out _), "a key that a hand took away is made again");
        await RefusesAsync("the webhook still refuses a bad spec");
    }

    private async Task<bool> HasBundleAsync(string path) =>
        (await _space.Api.GetAsync(path))!.Value.GetProperty("webhooks")[0].GetProperty("clientConfig").TryGetProperty("caBundle", out var bundle) && bundle.GetString() is { Length: > 0 };

    private Task RefusesAsync(string what)
    {
        var bad = Filled("1.0").Replace("\"dependsOn\":[\"store\",\"embedder\"]", "\"dependsOn\":[\"nobody\"]", StringComparison.Ordinal);
        return UntilAsync(async () =>
        {
            var (code, body) = await _space.Api.SendAsync(HttpMethod.Patch, $"{ObjectPath}?fieldManager=test&force=true&dryRun=All", bad, "application/apply-patch+yaml");
            return code >= 400 && body.GetRawText().Contains("spec.components[2].dependsOn[0]", StringComparison.Ordinal);
        }, what);
    }

    /// <summary>A person approves. With the webhook status has to say who it was; without one anybody's word counts.</summary>
    private async Task ApprovedAsync()
    {
        const string Request = "approve/2/canary";
        if (_mode == Mode.Namespaces)
        {
            await RequestAsync(Request);
            return;
        }

        // Again while the webhook was not reached: the operator refuses what does not prove whose it is.
        await UntilAsync(async () =>
        {
            var o = await ObjectAsync();
            if (o.GetProperty("status").TryGetProperty("lastRequest", out var last) && last.TryGetProperty("by", out var by) && by.GetString() == Person) return true;
            if (!o.GetProperty("metadata").GetProperty("annotations").TryGetProperty("ragoperator.dev/request", out _))
                await _space.Bed.KubectlAsync("annotate", "ragd", "assistant", "-n", _name, $"ragoperator.dev/request={Request}", $"--as={Person}");
            return false;
        }, "approved by somebody whom the webhook knows");
    }
}
