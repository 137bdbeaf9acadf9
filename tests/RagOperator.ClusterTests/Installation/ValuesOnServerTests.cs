using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;
using RagOperator.Tests.Shared;

namespace RagOperator.ClusterTests.Installation;

/// <summary>A real API server takes what the chart makes, whatever the values.</summary>
public sealed class ValuesOnServerTests
{
    [SkippableFact]
    public async Task All_values_make_what_the_API_server_takes()
    {
        await using var space = await TestSpace.CreateWithoutPodsAsync("chart-values");
        foreach (var place in (string[])[ChartObjects.Namespace, "rag-a", "rag-b", "monitoring", "argocd"])
            await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {place}}}\n");
        foreach (var (group, version, kind) in ((string, string, string)[])
            [("monitoring.coreos.com", "v1", "ServiceMonitor"), ("monitoring.coreos.com", "v1", "PrometheusRule"), ("cert-manager.io", "v1", "Issuer"), ("cert-manager.io", "v1", "Certificate")])
            await space.Bed.ApplyAsync(Definition(group, version, kind));
        try
        {
            foreach (var values in HelmChart.AllValues)
            {
                var objects = ChartObjects.Render(await File.ReadAllTextAsync(HelmChart.Values(values)));
                // A pod is taken only with its account there, in a dry run, too.
                await space.Bed.ApplyAsync(ChartObjects.List(objects.Where(o => ChartObjects.IsHook(o) && ChartObjects.Is(o, "ServiceAccount"))));
                await space.UntilAsync(async () =>
                {
                    var result = await space.Bed.KubectlWithInputAsync(ChartObjects.List(objects), "apply", "--dry-run=server", "--validate=false", "-f", "-");
                    // Kinds that were defined a moment ago are not served at once.
                    return result.Ok || (result.Error.Contains("no matches for kind", StringComparison.Ordinal) ? false : throw new Xunit.Sdk.XunitException($"{values}: {result.Error}"));
                }, TimeSpan.FromSeconds(20), $"{values} is taken");
            }

            // All at once and for real, too: what a dry run lets pass may fail beside the rest.
            var namespaced = ChartObjects.Render(await File.ReadAllTextAsync(HelmChart.Values("namespaced"))).Where(o => !ChartObjects.Is(o, "Pod"));
            (await space.Bed.KubectlWithInputAsync(ChartObjects.List(namespaced), "apply", "--validate=false", "-f", "-")).OrThrow();
        }
        finally
        {
            foreach (var place in (string[])["rag-a", "rag-b", "monitoring", "argocd"]) await space.Bed.KubectlAsync("delete", "namespace", place, "--wait=false");
            await space.Bed.KubectlAsync("delete", "deployment,configmap,service,pdb,role,rolebinding,serviceaccount", "--all", "-n", ChartObjects.Namespace, "--wait=false");
            await space.Bed.KubectlAsync("delete", "crd", "servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com", "issuers.cert-manager.io", "certificates.cert-manager.io", "--wait=false");
        }
    }

    [SkippableFact]
    public async Task Kustomize_makes_what_the_API_server_takes()
    {
        await using var space = await TestSpace.CreateWithoutPodsAsync("chart-kustomize");
        await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {ChartObjects.Namespace}}}\n");
        var whole = (await DryRunAsync("kubernetes-1.20")).OrThrow();
        // What newer servers are given differs in one version, and this one takes the rest of it.
        var newer = await DryRunAsync("default");
        var error = Assert.Single(newer.Error.Split('\n'), static line => line.StartsWith("error", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("no matches for kind \"PodDisruptionBudget\" in version \"policy/v1\"", error, StringComparison.Ordinal);
        Assert.Equal(Taken(whole).Where(static line => !line.StartsWith("poddisruptionbudget", StringComparison.Ordinal)), Taken(newer));
        await space.Bed.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata: {name: rag}\n");
        (await space.Bed.KubectlAsync("apply", "--dry-run=server", "-k", Path.Combine(HelmChart.Repository, "config/samples"))).OrThrow();

        Task<CommandResult> DryRunAsync(string folder) => space.Bed.KubectlAsync("apply", "--dry-run=server", "--validate=false", "-k", Path.Combine(HelmChart.Repository, "config", folder));

        static IEnumerable<string> Taken(CommandResult result) => result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);
    }

    /// <summary>A kind of somebody else's by its name alone: that it is served is all that counts here.</summary>
    private static string Definition(string group, string version, string kind) => $$$"""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: {{{kind.ToLowerInvariant()}}}s.{{{group}}}
        spec:
          group: {{{group}}}
          names: {kind: {{{kind}}}, plural: {{{kind.ToLowerInvariant()}}}s}
          scope: Namespaced
          versions: [{name: {{{version}}}, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true} } }]
        """;
}
