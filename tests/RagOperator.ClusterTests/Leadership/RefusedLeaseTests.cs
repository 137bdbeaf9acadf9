using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.ClusterTests.Leadership;

/// <summary>An operator that may not have its Lease says so loudly, lives on, changes nothing, and begins once it may.</summary>
public sealed class RefusedLeaseTests
{
    [SkippableFact]
    public Task Missing_rights_are_loud_and_are_gotten_over_when_they_come() => FaultTable.CaseAsync("leader/may not have its Lease", static async () =>
    {
        await using var space = await TestSpace.CreateAsync("lease-forbidden");
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        await space.Bed.ApplyAsync($$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: operator, namespace: {{space.Namespace}}}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: all-but-leases, namespace: {{space.Namespace}}}
            rules: [{apiGroups: ["", apps, ragoperator.dev, gateway.networking.k8s.io, events.k8s.io], resources: ["*"], verbs: ["*"]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: all-but-leases, namespace: {{space.Namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all-but-leases}
            subjects: [{kind: ServiceAccount, name: operator, namespace: {{space.Namespace}}}]
            """);
        var kubeConfig = await KubeConfigAsync(space);
        await using var process = Start(space, kubeConfig, space.Namespace);
        await LoudAsync(space, process, "Forbidden");

        // What the documentation says that it takes.
        await space.Bed.ApplyAsync($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: its-lease, namespace: {{space.Namespace}}}
            rules:
              - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [operator], verbs: [get, watch, update]}
              - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: its-lease, namespace: {{space.Namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: its-lease}
            subjects: [{kind: ServiceAccount, name: operator, namespace: {{space.Namespace}}}]
            """);
        await LeadsAsync(space);
        // It listens for others again, too: a refused watch is opened anew after its pause.
        await space.UntilAsync(
            async () => (await OperatorPair.GetAsync(space.Port, "/metrics")).Contains("ragoperator_api_requests_total{code=\"200\",resource=\"leases\",verb=\"watch\"}", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30), "it watches its Lease");
        Assert.DoesNotContain(process.LogLines("cannot be watched"), line => line.Contains("leads from now on", StringComparison.Ordinal));
        Assert.Equal(0, await process.TerminateAsync(TimeSpan.FromSeconds(10)));
    });

    [SkippableFact]
    public Task Missing_namespace_is_loud_and_is_gotten_over_when_it_comes() => FaultTable.CaseAsync("leader/its Lease's namespace is missing", static async () =>
    {
        await using var space = await TestSpace.CreateAsync("lease-nowhere");
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        await using var process = Start(space, space.Bed.KubeConfig, "lease-somewhere");
        await LoudAsync(space, process, "NotFound");
        await space.Bed.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata: {name: lease-somewhere}\n");
        try
        {
            await LeadsAsync(space);
        }
        finally
        {
            await process.TerminateAsync(TimeSpan.FromSeconds(10));
            await space.Bed.KubectlAsync("delete", "namespace", "lease-somewhere", "--wait=false");
        }
    });

    private static OperatorProcess Start(TestSpace space, string kubeConfig, string leaseNamespace) => OperatorProcess.Start(space.Operator.Log,
    [
        "--kubeconfig", kubeConfig, "--namespace", space.Namespace, "--http.address", "127.0.0.1", "--http.port", $"{space.Port}",
        "--metricSources.default.url", space.Bed.PrometheusUrl.ToString().TrimEnd('/'), "--leaderElection.enabled", "true",
        "--leaderElection.namespace", leaseNamespace, "--leaderElection.name", "operator", "--leaderElection.retryPeriod", "500ms",
    ]);

    private static async Task LoudAsync(TestSpace space, OperatorProcess process, string word)
    {
        await space.UntilAsync(async () => (await OperatorPair.ElectionAsync(space.Port)).Contains(word, StringComparison.Ordinal), TimeSpan.FromSeconds(30), $"health says {word}");
        Assert.Contains("\"status\": \"Degraded\"", await OperatorPair.GetAsync(space.Port, "/health/detailed"), StringComparison.Ordinal);
        Assert.Contains(process.LogLines("check the RBAC rules"), line => line.Contains("\"level\":\"error\"", StringComparison.Ordinal) && line.Contains(word, StringComparison.Ordinal));
        // A restart would not help, and others may lead.
        Assert.Equal(("ok\n", "ok\n"), (await OperatorPair.GetAsync(space.Port, "/healthz"), await OperatorPair.GetAsync(space.Port, "/readyz")));
        Assert.Contains("ragoperator_leader 0", await OperatorPair.GetAsync(space.Port, "/metrics"), StringComparison.Ordinal);
        Assert.NotNull(process.Pid);
    }

    private static Task LeadsAsync(TestSpace space) => space.UntilAsync(
        async () => (await OperatorPair.ElectionAsync(space.Port)).StartsWith("leads as", StringComparison.Ordinal), TimeSpan.FromSeconds(60), "it leads");

    /// <summary>The bed's kubeconfig with the service account's token in place of its client certificate.</summary>
    private static async Task<string> KubeConfigAsync(TestSpace space)
    {
        var secret = "";
        await space.UntilAsync(async () =>
        {
            secret = (await space.Bed.KubectlAsync("get", "serviceaccount", "operator", "-n", space.Namespace, "-o", "jsonpath={.secrets[0].name}")).Out.Trim();
            return secret.Length > 0;
        }, TimeSpan.FromSeconds(20), "the service account has a token");
        var encoded = (await space.Bed.KubectlAsync("get", "secret", secret, "-n", space.Namespace, "-o", "jsonpath={.data.token}")).OrThrow().Out;
        var token = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(encoded.Trim()));
        var file = Path.Combine(space.Bed.Folder, $"{space.Namespace}.kubeconfig");
        File.Copy(space.Bed.KubeConfig, file, overwrite: true);
        (await space.Bed.KubectlAsync("--kubeconfig", file, "config", "set-credentials", "operator", $"--token={token}")).OrThrow();
        (await space.Bed.KubectlAsync("--kubeconfig", file, "config", "set-context", "--current", "--user=operator")).OrThrow();
        return file;
    }
}
