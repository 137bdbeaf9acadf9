using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Installation;

/// <summary>An operator of some namespaces, with the chart's Roles and the chart's configuration: it sees these, and nothing else.</summary>
public sealed class SomeNamespacesTests
{
    private const string Own = "some-own";

    // The schema takes it; the operator has to see it to refuse it.
    private const string Invalid = """
        {"apiVersion":"ragoperator.dev/v1alpha1","kind":"RagDeployment","metadata":{"name":"assistant"},"spec":{
          "components":[{"name":"api","dependsOn":["api"],"ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"x"}]}}}],
          "traffic":{"gatewayApi":{"parentRefs":[{"name":"public"}]}}}}
        """;

    [SkippableFact]
    public async Task It_acts_in_its_namespaces_and_in_no_other()
    {
        await using var space = await TestSpace.CreateWithoutPodsAsync("some");
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        foreach (var place in (string[])["some-a", "some-b", "some-c", Own]) await space.Bed.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {place}}}\n");
        var objects = ChartObjects.Render("watchNamespaces: [some-a, some-b]\n", "-namespace", Own).Where(o => !ChartObjects.IsHook(o)).ToList();
        await space.Bed.ApplyAsync(ChartObjects.List(objects.Where(o => (string?)o["kind"] is "Role" or "RoleBinding" or "ServiceAccount")));
        var kubeConfig = await AccountConfig.WriteAsync(space, Own, "rag-operator");
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, (string)objects.Single(o => ChartObjects.Is(o, "ConfigMap"))["data"]!["config.yaml"]!);
        try
        {
            await using var process = OperatorProcess.Start(space.Operator.Log,
                ["--config", config, "--kubeconfig", kubeConfig, "--leaderElection.namespace", Own, "--http.address", "127.0.0.1", "--http.port", $"{space.Port}"]);
            foreach (var place in (string[])["some-a", "some-b", "some-c"])
            {
                var (code, body) = await space.Api.SendAsync(HttpMethod.Post, $"/apis/ragoperator.dev/v1alpha1/namespaces/{place}/ragdeployments", Invalid);
                Assert.True(code == 201, $"{body}");
            }

            foreach (var place in (string[])["some-a", "some-b"])
                await space.UntilAsync(async () => await PhaseAsync(space, place) == "Degraded", TimeSpan.FromSeconds(30), $"the operator tells what is wrong in {place}");
            await space.StaysAsync(async () => await PhaseAsync(space, "some-c") == "", TimeSpan.FromSeconds(3));

            using var http = new HttpClient();
            var metrics = await http.GetStringAsync(new Uri($"http://127.0.0.1:{space.Port}/metrics"));
            Assert.DoesNotContain(metrics.Split('\n'), l => l.StartsWith("ragoperator_api_requests_total", StringComparison.Ordinal) && l.Contains("code=\"403\"", StringComparison.Ordinal));
            Assert.Contains("ragoperator_leader 1", metrics, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(config);
            File.Delete(kubeConfig);
            foreach (var place in (string[])["some-a", "some-b", "some-c", Own]) await space.Bed.KubectlAsync("delete", "namespace", place, "--wait=false");
        }
    }

    /// <summary>Empty: nobody has looked at it.</summary>
    private static async Task<string> PhaseAsync(TestSpace space, string place) =>
        (await space.Api.GetAsync($"/apis/ragoperator.dev/v1alpha1/namespaces/{place}/ragdeployments/assistant"))!.Value is var o
        && o.TryGetProperty("status", out var status) && status.TryGetProperty("phase", out var phase) ? phase.GetString()! : "";
}
