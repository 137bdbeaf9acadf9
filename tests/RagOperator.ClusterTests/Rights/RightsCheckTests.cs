using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Rights;

/// <summary>`make rbac-check`: a right that the API server is never asked for, or whose absence nobody notices, is one too many.</summary>
public sealed class RightsCheckTests(ITestOutputHelper output)
{
    // After so many worlds, one with all rights beside them: what is slow there is slow everywhere.
    private const int ControlEach = 15;

    [SkippableFact]
    public async Task Each_right_is_asked_for_and_missed_when_it_is_gone()
    {
        Skip.If(Environment.GetEnvironmentVariable("RBAC_CHECK") is null or "", "takes half an hour: make rbac-check");
        Skip.IfNot(ClusterBed.IsInside, "needs a cluster: tests/rbac-check.sh");
        var only = Environment.GetEnvironmentVariable("RBAC_RIGHTS") ?? "";
        // The last rules first, which are those of the webhook: the others are the same in both.
        var rights = Enum.GetValues<Mode>().SelectMany(m => ChartRights.Of(m).Reverse()).Where(r => Regex.IsMatch(r.ToString(), only, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))).ToList();
        Assert.NotEmpty(rights);
        // Each as soon as it is known: the whole takes long, and what was found must not be lost with a run that is broken off.
        var folder = Directory.CreateDirectory(Path.Combine(ClusterBed.Repository, "artifacts/cluster-tests")).FullName;
        await using var table = TextWriter.Synchronized(File.CreateText(Path.Combine(folder, "rights.txt")));
        var findings = new ConcurrentBag<Finding>();
        await using var refusals = new Refusals(ClusterBed.FromEnvironment().AuditLog);

        // First with all rights, and alone: the operator of the whole cluster sees the whole of it.
        foreach (var mode in Enum.GetValues<Mode>().Where(m => rights.Exists(r => r.Mode == m)).OrderDescending()) await PlayAsync(mode, null, $"rights-{(char)('a' + (int)mode)}", alone: true);
        Assert.All(findings, static f => Assert.True(f.Holds, f.ToString()));

        var worlds = rights.SelectMany((r, i) => i % ControlEach == 0 ? [(r.Mode, null), (r.Mode, (Right?)r)] : ((Mode Mode, Right? Right)[])[(r.Mode, r)]).Select((w, i) => (w.Mode, w.Right, Name: $"rights-{i}"));
        var parallel = int.Parse(Environment.GetEnvironmentVariable("RBAC_PARALLEL") is { Length: > 0 } many ? many : "8", CultureInfo.InvariantCulture);
        await Parallel.ForEachAsync(worlds, new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (world, _) => await PlayAsync(world.Mode, world.Right, world.Name, alone: false));

        foreach (var finding in findings.OrderBy(f => f.ToString(), StringComparer.Ordinal)) output.WriteLine(finding.ToString());
        Assert.Empty(findings.Where(static f => !f.Holds).Select(static f => f.ToString()));
        // What happens with all rights has to happen well within the time after which it counts as missing.
        Assert.All(findings.Where(static f => f.Right is null), static f => Assert.True(f.Longest < RightsWorld.Patience, f.ToString()));

        async Task PlayAsync(Mode mode, Right? without, string name, bool alone)
        {
            await using var world = await RightsWorld.StartAsync(mode, without, name, alone, refusals);
            var finding = await world.PlayAsync();
            findings.Add(finding);
            await table.WriteLineAsync(finding.ToString());
            await table.FlushAsync();
        }
    }
}
