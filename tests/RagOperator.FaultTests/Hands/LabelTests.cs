using System.Text.Json;
using RagOperator.FaultTests.Worlds;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Hands;

/// <summary>Labels that somebody takes away: the operator finds its children by one of them.</summary>
public sealed class LabelTests(ITestOutputHelper output)
{
    private static readonly ServiceSpec s_first = new() { Flag = false };

    [SkippableFact]
    public Task Hand_strips_the_name_label_and_it_is_given_back() => CheckAsync("workload/name-label-stripped", "ragoperator.dev/name", [Moment.Full, Moment.Back]);

    [SkippableFact]
    public Task Hand_strips_the_revision_label_and_it_is_given_back() => CheckAsync("workload/revision-label-stripped", "ragoperator.dev/revision", [Moment.Half]);

    private Task CheckAsync(string name, string label, IReadOnlyList<Moment> some) => HandLab.CheckAsync(name, Moment.All, some, s_first, async run =>
    {
        await run.ComeAsync();
        var before = await LabelledAsync(run, label);
        Assert.Contains(before, c => c.Name == run.Canary);
        foreach (var child in before)
            await run.PatchAsync(child.Plural, child.Name, $$$"""{"metadata":{"labels":{"{{{label}}}":null} } }""");
        IReadOnlyList<Child> after = [];
        await run.World.UntilAsync(async () => (after = await LabelledAsync(run, label)).Count >= before.Count, $"all labels are back, not only those of {string.Join(", ", after.Select(c => c.Name))}");
        // The very same objects: nothing was made a second time or deleted.
        Assert.Equal(before, after);
        await run.World.UntilAsync(async () => await run.AddressesAsync(run.Stable) == 1, "stable has its address");
        await run.FinishAsync();
    }, output, next: static s => s with { Flag = true });

    private static async Task<IReadOnlyList<Child>> LabelledAsync(HandRun run, string label)
    {
        var found = new List<Child>();
        foreach (var plural in (string[])["controllerrevisions", "deployments", "services", "configmaps", "httproutes"])
            foreach (var item in await run.World.Api.ListAsync(run.PathOf(plural)))
            {
                var metadata = item.GetProperty("metadata");
                if (metadata.TryGetProperty("labels", out var labels) && labels.TryGetProperty(label, out var value))
                    found.Add(new Child(plural, Text(metadata, "name"), Text(metadata, "uid"), value.GetString()!));
            }

        return found;
    }

    private static string Text(JsonElement metadata, string name) => metadata.GetProperty(name).GetString()!;

    private sealed record Child(string Plural, string Name, string Uid, string Value);
}
