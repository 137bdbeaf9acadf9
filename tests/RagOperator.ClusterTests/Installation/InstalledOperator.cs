using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Installation;

/// <summary>The operator in pods of its own namespace, however it was installed.</summary>
internal static class InstalledOperator
{
    public const string Namespace = ChartObjects.Namespace;

    /// <summary>The image that the pods run. Without it, or without real pods, the test is skipped.</summary>
    public static FileInfo Image()
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a cluster with real pods: tests/run.sh cluster");
        var image = new FileInfo(Path.Combine(ClusterBed.Repository, "artifacts/images/rag-operator.tar"));
        Skip.IfNot(image.Exists, "needs the operator's image: tests/TestBed/images.sh");
        return image;
    }

    /// <summary>A namespace for a service, without an operator process of its own: the installed one watches all.</summary>
    public static async Task<TestSpace> SpaceAsync(string name)
    {
        var space = await TestSpace.CreateAsync(name);
        await space.Operator.TerminateAsync(TimeSpan.FromSeconds(10));
        return space;
    }

    /// <summary>Two ready pods, none of them among the earlier ones, and nobody else.</summary>
    public static async Task<IReadOnlyList<JsonElement>> ReadyPodsAsync(TestSpace space, IReadOnlyList<JsonElement> gone)
    {
        var names = gone.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        List<JsonElement> pods = [];
        await space.UntilAsync(async () =>
        {
            var list = (await space.Api.GetAsync($"/api/v1/namespaces/{Namespace}/pods?labelSelector=app.kubernetes.io/name=rag-operator"))!.Value;
            pods = [.. list.GetProperty("items").EnumerateArray()];
            return pods.Count == 2 && pods.TrueForAll(p => !names.Contains(NameOf(p)) && IsReady(p));
        }, TestSpace.Patience, "two pods of the operator are ready");
        return pods;
    }

    /// <summary>The pod that holds the Lease.</summary>
    public static async Task<string> LeaderAsync(TestSpace space)
    {
        var holder = "";
        await space.UntilAsync(async () =>
        {
            var lease = await space.Api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{Namespace}/leases/rag-operator");
            holder = lease!.Value.Text("spec", "holderIdentity");
            return holder.Length > 0;
        }, TimeSpan.FromSeconds(30), "somebody leads");
        var pods = (await space.Api.GetAsync($"/api/v1/namespaces/{Namespace}/pods"))!.Value.GetProperty("items").EnumerateArray().Select(NameOf);
        return pods.FirstOrDefault(name => holder.StartsWith(name, StringComparison.Ordinal)) ?? holder;
    }

    /// <summary>The API server reaches the webhook through its Service, and trusts its certificate.</summary>
    public static Task RefusedAtTheDoorAsync(TestSpace space)
    {
        const string Needs = "[embedder, reranker]";
        var bad = (space.Service() with { Name = "bad" }).ToYaml();
        Assert.Contains(Needs, bad, StringComparison.Ordinal);
        bad = bad.Replace(Needs, "[nobody]", StringComparison.Ordinal);
        return space.Bed.WaitUntilAsync(async () =>
        {
            var answer = await space.Bed.KubectlWithInputAsync(bad, "apply", "--dry-run=server", "--validate=false", "-f", "-");
            return (!answer.Ok && answer.Error.Contains("spec.components[2].dependsOn[0]", StringComparison.Ordinal), answer.Out + answer.Error);
        }, TimeSpan.FromSeconds(90), "the webhook refuses a bad object and names its field");
    }

    /// <summary>How the pods are, for a failure's reader.</summary>
    public static async Task TellAsync(TestSpace space, ITestOutputHelper output)
    {
        output.WriteLine((await space.Bed.KubectlAsync("logs", "-n", Namespace, "-l", "app.kubernetes.io/name=rag-operator", "--tail=60")).Out);
        output.WriteLine((await space.Bed.KubectlAsync("describe", "pods", "-n", Namespace)).Out);
    }

    /// <summary>Takes all of it away but the CRD, and waits: another test may install it next.</summary>
    public static async Task RemoveAsync(TestSpace space)
    {
        await space.Bed.KubectlAsync("delete", "clusterrole,clusterrolebinding,validatingwebhookconfiguration,mutatingwebhookconfiguration", "-l", "app.kubernetes.io/instance=rag-operator");
        await space.Bed.KubectlAsync("delete", "namespace", Namespace, "--ignore-not-found", "--timeout=120s");
    }

    public static string NameOf(JsonElement o) => o.GetProperty("metadata").Text("name");

    private static bool IsReady(JsonElement pod) => !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _)
        && pod.GetProperty("status").TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");
}
