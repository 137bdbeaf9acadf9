using System.Text.RegularExpressions;
using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests;

/// <summary>What scripts and pipelines do: apply, then wait for a condition.</summary>
public sealed class WaitTests
{
    [SkippableFact]
    public async Task Wait_right_after_an_apply_ends_when_that_very_release_is_promoted_or_rolled_back()
    {
        await using var space = await TestSpace.CreateAsync("wait");
        var version = Regex.Match((await space.Bed.KubectlAsync("version", "--client", "-o", "json")).OrThrow().Out, "\"minor\": *\"(?<minor>\\d+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        Skip.If(int.Parse(version.Groups["minor"].ValueSpan, provider: null) < 21, "kubectl wait honours observedGeneration from 1.21 on");
        var service = space.Service();

        await space.ApplyAsync(service);
        await WaitAsync("Promoted");
        var first = await space.StatusAsync();
        Assert.Equal((1, "Healthy"), (first.Release, first.Phase));

        // Promoted=True of the first release is still there at this moment, and must not count.
        await space.ApplyAsync(service with { Api = "1.1" });
        await WaitAsync("Promoted");
        var second = await space.StatusAsync();
        Assert.Equal((2, "Healthy"), (second.Release, second.Phase));
        Assert.NotEqual(first.StableRevision, second.StableRevision);

        await space.ApplyAsync(service with { Api = "1.2-crash", Rollout = ["progressDeadline: 5s", "retireDelay: 1s"] });
        await WaitAsync("RolledBack");
        var third = await space.StatusAsync();
        Assert.Equal((3, "Degraded"), (third.Release, third.Phase));
        Assert.Equal(second.StableRevision, third.StableRevision);

        async Task WaitAsync(string condition) =>
            await space.CheckAsync((await space.Bed.KubectlAsync("wait", $"--for=condition={condition}", "ragdeployment/assistant", "-n", space.Namespace, "--timeout=120s")).Ok, $"kubectl wait for {condition} timed out");
    }
}
