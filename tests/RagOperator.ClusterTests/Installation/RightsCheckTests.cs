using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Installation;

/// <summary>`make rbac-check`: a right whose absence nobody notices is one too many.</summary>
public sealed class RightsCheckTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Each_right_is_missed_when_it_is_gone()
    {
        Skip.If(Environment.GetEnvironmentVariable("RBAC_CHECK") is null or "", "takes a quarter of an hour: make rbac-check");
        Skip.IfNot(ClusterBed.IsInside, "needs a cluster: tests/rbac-check.sh");
        await using (var whole = await RightsWorld.StartAsync("rights-all", null))
        {
            var (failed, refused) = await whole.PlayAsync();
            Assert.True(failed is null && refused.Count == 0, $"with all rights: {failed} {string.Join(", ", refused)}");
        }

        var only = Environment.GetEnvironmentVariable("RBAC_RIGHTS") ?? "";
        var rights = RightsWorld.AllRights().Where(r => Regex.IsMatch(r.ToString(), only, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))).ToList();
        Assert.NotEmpty(rights);
        // Each as soon as it is known: the whole takes long, and what was found must not be lost with a run that is broken off.
        await using var table = TextWriter.Synchronized(File.CreateText(Path.Combine(ClusterBed.Repository, "artifacts/cluster-tests/rights.txt")));
        var lines = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var unnoticed = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(rights.Select((right, i) => (right, i)), new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (item, _) =>
        {
            await using var world = await RightsWorld.StartAsync($"rights-{item.i}", item.right);
            var (failed, refused) = await world.PlayAsync();
            lines[item.right.ToString()] = $"{item.right,-62} {failed ?? (refused.Count > 0 ? "goes on" : "NOBODY NOTICES")}{(refused.Count > 0 ? $"; refused: {string.Join(", ", refused)}" : "")}";
            await table.WriteLineAsync(lines[item.right.ToString()]);
            await table.FlushAsync(CancellationToken.None);
            if (failed is null && refused.Count == 0) unnoticed.Add(item.right.ToString());
        });
        foreach (var line in lines.OrderBy(l => l.Key, StringComparer.Ordinal)) output.WriteLine(line.Value);
        Assert.Empty(unnoticed.Order(StringComparer.Ordinal));
    }
}
