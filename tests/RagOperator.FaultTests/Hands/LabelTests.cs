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

    [SkippableFact]
    public Task Hand_takes_the_routes_label_again_and_again_and_the_rollback_goes_on() =>
        HandLab.CheckAsync("workload/route-label-stripped-for-good", Moment.Steps, [Moment.Half], s_first, async run =>
        {
            await run.ComeAsync();
            using var stop = new CancellationTokenSource();
            var stripping = StripAsync(run, stop.Token);
            try
            {
                await run.World.RequestAsync("abort/current");
                await run.World.UntilAsync(async () => await run.World.WeightBesideAsync(run.Stable) == 0, "the weight is 0 although the cache does not see the route");
                await run.EndRolledBackAsync();
            }
            finally
            {
                await stop.CancelAsync();
            }

            // Once at the start; and what the operator gave back was taken again.
            var taken = await stripping;
            output.WriteLine($"taken {taken} times");
            Assert.True(taken > 1, "the label was given back and taken again");
        }, output, next: static s => s with { Flag = true });

    /// <summary>Takes the label away as soon as it is there, until it is stopped; returns how often it was there to be taken.
    /// Another who writes just then, or a server that is too busy, is no matter: the label is still there.</summary>
    private static async Task<int> StripAsync(HandRun run, CancellationToken stop)
    {
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // A watch begins with what is there; it asks nothing of the server while nothing changes.
                using var request = new HttpRequestMessage(HttpMethod.Get, $"{run.PathOf("httproutes")}?watch=true&fieldSelector=metadata.name%3Dassistant");
                using var response = await run.World.Api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
                using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
                while (await lines.ReadLineAsync(stop) is { } line)
                {
                    var metadata = JsonElement.Parse(line).GetProperty("object").GetProperty("metadata");
                    if (!metadata.TryGetProperty("labels", out var labels) || !labels.TryGetProperty("ragoperator.dev/name", out _))
                        continue;
                    await run.PatchAsync("httproutes", "assistant", """{"metadata":{"labels":{"ragoperator.dev/name":null} } }""");
                    count++;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return count;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException || e.Message.Contains(": 409", StringComparison.Ordinal))
            {
            }
        }

        return count;
    }

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
