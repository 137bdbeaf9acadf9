using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Admission;

/// <summary>An operator that serves the webhook on loopback, where this bed's API server reaches it by a URL, for three namespaces: one that the operator
/// watches, one where objects stand still because nobody watches it, and one that the webhook is not asked about.</summary>
public sealed class WebhookSpace : IAsyncLifetime
{
    public const string Configuration = "rag-webhook-test";
    public const int Port = 19443;

    private TestSpace? _space;

    public TestSpace Space
    {
        get
        {
            Skip.If(_space is null, "needs a cluster: tests/run.sh cluster");
            return _space!;
        }
    }

    public string Watched => Space.Namespace;

    public string Still => $"{Watched}-still";

    public string Open => $"{Watched}-open";

    public async Task InitializeAsync()
    {
        if (!ClusterBed.IsInside)
            return;
        var space = await TestSpace.CreateWithoutPodsAsync(
            "webhook", "--webhook.enabled", "true", "--webhook.address", "127.0.0.1", "--webhook.port", $"{Port}", "--webhook.namespace", "webhook",
            "--webhook.configurationName", Configuration, "--requests.requireIdentity", "true");
        _space = space;
        await space.Bed.ApplyAsync($$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{Watched}}, labels: {webhook-test: asked} }
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{Still}}, labels: {webhook-test: asked} }
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{Open}} }
            ---
            {{Users(Watched)}}
            ---
            {{Users(Still)}}
            ---
            {{Webhook("Validating", "validate")}}
            ---
            {{Webhook("Mutating", "mutate")}}
            """);
        await IsAskedAsync();
    }

    public async Task DisposeAsync()
    {
        if (_space is null)
            return;
        await _space.Bed.KubectlAsync("delete", "validatingwebhookconfiguration,mutatingwebhookconfiguration", Configuration);
        await _space.Bed.KubectlAsync("delete", "namespace", Still, Open, "--wait=false");
        await _space.DisposeAsync();
    }

    /// <summary>Waits until the API server asks the webhook and believes its certificate.</summary>
    public Task IsAskedAsync() => Space.UntilAsync(
        async () => (await ReviewAsync(Still, Objects.Bad)).Contains("is invalid", StringComparison.Ordinal),
        TimeSpan.FromSeconds(30), "the API server asks the webhook");

    /// <summary>Creates an object of a name and spec, without keeping it; what the API server says.</summary>
    public Task<(int Code, JsonElement Body)> CreateAsync(string ns, string spec, string name) => Space.Api.SendAsync(
        HttpMethod.Post, $"/apis/ragoperator.dev/v1alpha1/namespaces/{ns}/ragdeployments?dryRun=All",
        $$"""{"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","metadata":{"name":"{{name}}"},"spec":{{spec}}}""");

    /// <summary>Applies YAML without keeping it; all that kubectl says.</summary>
    public async Task<string> ReviewAsync(string ns, string yaml)
    {
        var result = await Space.Bed.KubectlWithInputAsync(yaml, "apply", "--dry-run=server", "-n", ns, "-f", "-");
        return result.Out + result.Error;
    }

    private static string Webhook(string kind, string path) => $$"""
        apiVersion: admissionregistration.k8s.io/v1
        kind: {{kind}}WebhookConfiguration
        metadata: {name: {{Configuration}} }
        webhooks:
          - name: {{path}}.ragoperator.dev
            clientConfig: {url: "https://127.0.0.1:{{Port}}/{{path}}" }
            rules: [{apiGroups: [ragoperator.dev], apiVersions: [v1alpha1], operations: [CREATE, UPDATE], resources: [ragdeployments], scope: Namespaced}]
            namespaceSelector: {matchLabels: {webhook-test: asked} }
            failurePolicy: Ignore
            sideEffects: None
            timeoutSeconds: 5
            admissionReviewVersions: [v1]
        """;

    /// <summary>jane may write objects; ann may also approve and abort.</summary>
    private static string Users(string ns) => $$"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: editor, namespace: {{ns}} }
        rules: [{apiGroups: [ragoperator.dev], resources: [ragdeployments], verbs: [get, list, create, update, patch]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: approver, namespace: {{ns}} }
        rules: [{apiGroups: [ragoperator.dev], resources: [ragdeployments], verbs: [approve, abort]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: editor, namespace: {{ns}} }
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: editor}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: jane}, {apiGroup: rbac.authorization.k8s.io, kind: User, name: ann}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: approver, namespace: {{ns}} }
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: approver}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ann}]
        """;
}
