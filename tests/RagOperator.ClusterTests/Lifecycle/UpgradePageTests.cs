using System.Text.Json.Nodes;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using RagOperator.TestBed;
using RagOperator.Tests.Shared;

namespace RagOperator.ClusterTests.Lifecycle;

/// <summary>What docs/upgrade.md tells people to type does what it says. Alone, because it takes the kind itself away.</summary>
[Collection(AloneCollection.Name)]
public sealed class UpgradePageTests
{
    private static readonly string s_definitions = Path.Combine(ClusterBed.Repository, "crds");
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);
    private static readonly string[] s_kinds = ["deployments", "services", "configmaps", "controllerrevisions"];

    [SkippableFact]
    public async Task Objects_go_without_their_pods_the_kind_is_handed_over_and_then_all_of_it_is_removed_and_brought_back()
    {
        await using var space = await TestSpace.CreateWithoutPodsAsync("upgrade-page");
        var page = new UpgradePage(space.Bed);
        try
        {
            await space.ApplyAsync(space.Service());
            await space.UntilAsync(async () => await ChildrenAsync(space) >= 6, s_patience, "it has children");

            await space.Operator.TerminateAsync(TimeSpan.FromSeconds(30));
            var children = await ChildrenAsync(space);
            (await page.RunAsync("delete ragd NAME", Words(("NAME", "assistant")), "-n", space.Namespace)).OrThrow();
            await space.UntilAsync(async () => !await IsThereAsync(space), s_patience, "the object is gone");
            await space.StaysAsync(async () => await ChildrenAsync(space) == children, TimeSpan.FromSeconds(3));
            space.Operator.Start();
            await space.ApplyAsync(space.Service());
            await space.UntilAsync(async () => await OwnedAsync(space) >= children, s_patience, "the children have an owner again");

            (await page.RunAsync("annotate crd", Words(("NEW", "other"), ("NAMESPACE", "elsewhere")))).OrThrow();
            var annotations = (await space.Bed.GetAsync("crd", "ragdeployments.ragoperator.dev"))!.Value.GetProperty("metadata").GetProperty("annotations");
            Assert.Equal(("other", "elsewhere"), (annotations.Text("meta.helm.sh/release-name"), annotations.Text("meta.helm.sh/release-namespace")));

            (await page.RunAsync("delete ragd --all", Words())).OrThrow();
            Assert.Empty(await space.Bed.ListAsync("ragd", space.Namespace));
            await space.UntilAsync(async () => await ChildrenAsync(space) == 0, s_patience, "the service goes with its object");
            (await page.RunAsync("delete crd", Words())).OrThrow();
            Assert.Null(await space.Bed.GetAsync("crd", "ragdeployments.ragoperator.dev"));

            await BringBackAsync(space, page);
            await space.UntilAsync(async () => (await space.Bed.KubectlWithInputAsync(space.Service().ToYaml(), "apply", "-f", "-")).Ok, s_patience, "the kind is back");
            Assert.Empty(page.NotRun);
        }
        finally
        {
            // For whoever comes after.
            await space.Bed.KubectlAsync("apply", "--validate=false", "-f", s_definitions);
            await Definitions.EstablishedAsync(space.Bed.KubectlAsync, "ragdeployments.ragoperator.dev");
        }
    }

    /// <summary>By both commands. This API server is older than CEL rules, and says so; without them it takes the first one, too.</summary>
    private static async Task BringBackAsync(TestSpace space, UpgradePage page)
    {
        const string Unknown = "x-kubernetes-validations: field not declared in schema";
        var said = "";
        // A server that is still busy with the removal says something else first.
        await space.UntilAsync(async () => (said = (await page.RunAsync("apply --server-side", Words(("crds/", s_definitions)), "--validate=false")).Error).Contains(Unknown, StringComparison.Ordinal),
            s_patience, "it is refused for fields that it does not know");
        Assert.All(said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1), static line => Assert.EndsWith(Unknown, line, StringComparison.Ordinal));
        (await page.RunAsync("apply --validate=false", Words(("crds/", s_definitions)))).OrThrow();

        var plain = Directory.CreateTempSubdirectory("rag-crds");
        try
        {
            foreach (var file in Directory.GetFiles(s_definitions))
            {
                var definition = YamlJson.Parse(await File.ReadAllTextAsync(file));
                RemoveRules(definition);
                await File.WriteAllTextAsync(Path.Combine(plain.FullName, Path.GetFileName(file)), definition!.ToJsonString());
            }

            (await page.RunAsync("apply --server-side", Words(("crds/", plain.FullName)))).OrThrow();
        }
        finally
        {
            plain.Delete(recursive: true);
        }
    }

    private static void RemoveRules(JsonNode? node)
    {
        if (node is JsonObject map)
        {
            map.Remove("x-kubernetes-validations");
            foreach (var (_, value) in map) RemoveRules(value);
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list) RemoveRules(item);
        }
    }

    private static Dictionary<string, string> Words(params (string Word, string Value)[] words) => words.ToDictionary(w => w.Word, w => w.Value, StringComparer.Ordinal);

    private static async Task<bool> IsThereAsync(TestSpace space) =>
        await space.Api.GetAsync($"/apis/ragoperator.dev/v1alpha1/namespaces/{space.Namespace}/ragdeployments/assistant") is not null;

    private static async Task<int> ChildrenAsync(TestSpace space)
    {
        var count = 0;
        foreach (var kind in s_kinds) count += (await space.ListAsync(kind, "ragoperator.dev/name=assistant")).Count;
        return count;
    }

    /// <summary>How many of them name the object as it is now.</summary>
    private static async Task<int> OwnedAsync(TestSpace space)
    {
        var uid = (await space.GetAsync()).Metadata.Uid;
        var count = 0;
        foreach (var kind in s_kinds)
            count += (await space.ListAsync(kind, "ragoperator.dev/name=assistant")).Count(o => o.GetProperty("metadata").TryGetProperty("ownerReferences", out var owners) && owners[0].Text("uid") == uid);
        return count;
    }
}
