using System.Net;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Soak;

/// <summary>Many rollouts at once, for a long time, with faults by chance and leaders that die: nothing grows, no write breaks a rule, and all end where they
/// should. <c>make soak</c>.</summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_sample = TimeSpan.FromSeconds(10);
    private static readonly int s_minutes = Lab.Number("SOAK_MINUTES", 0);
    private static readonly int s_size = Lab.Number("SOAK_OBJECTS", 200);
    private static readonly int s_seed = Lab.Number("RAG_SEED", 20261121);

    [SkippableFact]
    public async Task Rollouts_with_random_faults_leak_nothing_and_all_end_where_they_should()
    {
        Skip.If(s_minutes == 0, "runs for many minutes: make soak");
        var bed = await FaultBed.SharedAsync();
        var folder = Directory.CreateDirectory(Path.Combine(FaultBed.Results, "soak")).FullName;
        await using var proxy = await FaultProxy.StartAsync(bed.Api, folder, []);
        await using var prometheus = await ScriptedPrometheus.StartAsync();
        proxy.Witness = deed => Witness.OfAsync(bed.Api, deed);
        var oracle = new SoakOracle(proxy.Trajectory);
        var fleet = new Fleet(bed.Api, s_size, s_seed) { Ended = oracle.Judge };
        prometheus.Value = fleet.Value;
        await using var pair = await SoakPair.StartAsync(bed.Api, folder, proxy.KubeConfig, prometheus.Url);

        await fleet.InstallAsync();
        await UntilAllEndedAsync(fleet, "installed", pair);
        foreach (var ns in fleet.Namespaces)
            oracle.Judge(ns);
        Chaos(proxy, prometheus);
        var gauges = await ReleaseAsync(fleet, pair);

        // The faults stop; every one of them must end well.
        proxy.Chance = static _ => null;
        proxy.LineChance = static _ => null;
        prometheus.Script = static (_, _) => Task.FromResult(false);
        await fleet.FinishAsync();
        await UntilAllEndedAsync(fleet, "promoted in the end", pair);
        foreach (var ns in fleet.Namespaces)
            oracle.Judge(ns);
        output.WriteLine($"{fleet.Releases} releases, {fleet.Rollbacks} rollbacks, {pair.Killed} leaders killed, {oracle.Writes} writes checked");
        var (flat, growths) = Flatness.Judge(gauges, s_minutes);
        FaultTable.Tell("soak/releases end as they should", fleet.Judged, fleet.Judged - fleet.Wrong.Count, fleet.Wrong.Count, $"{s_minutes} min, {fleet.Rollbacks} rollbacks, {pair.Killed} leaders killed");
        FaultTable.Tell("soak/services keep the invariants", s_size, s_size - oracle.Offenders, oracle.Offenders, $"{oracle.Writes} writes checked");
        FaultTable.Tell("soak/what must be flat", Flatness.Figures, flat, Flatness.Figures - flat, string.Join("; ", gauges.TakeLast(2)));
        var troubles = (IReadOnlyList<string>)[.. fleet.Wrong, .. oracle.Broken, .. growths];
        pair.CheckRunning();
        Assert.True(troubles.Count == 0, string.Join('\n', troubles.Take(30)));
        Assert.True(pair.Killed > 0 && fleet.Rollbacks > 0, $"{pair.Killed} leaders were killed and {fleet.Rollbacks} releases taken back: it shows nothing");
    }

    private async Task<List<ProcessGauge>> ReleaseAsync(Fleet fleet, SoakPair pair)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(s_minutes), TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        var deaths = new Random(s_seed);
        TimeSpan NextDeath(TimeSpan from) => from + (TimeSpan.FromMinutes(s_minutes) * (0.13 + (deaths.NextDouble() * 0.07)));
        var death = NextDeath(TimeSpan.Zero);
        var releasing = fleet.KeepReleasingAsync(stop.Token);
        var gauges = new List<ProcessGauge>();
        while (!releasing.IsCompleted)
        {
            var now = TimeProvider.System.GetElapsedTime(began);
            // Whoever is judged has to live: nobody is killed in the second half, nor right before it.
            if (now >= death && now < TimeSpan.FromMinutes(s_minutes * 0.45))
            {
                await pair.KillLeaderAsync();
                death = NextDeath(now);
            }

            gauges.AddRange(await pair.GaugesAsync(http, now));
            await Task.WhenAny(releasing, Task.Delay(s_sample, TimeProvider.System));
        }

        await releasing;
        foreach (var gauge in FaultClass.Spread(gauges, 40))
            output.WriteLine(gauge.ToString());
        return gauges;
    }

    /// <summary>One request in a hundred, one watch line in five hundred and one question in fifty go wrong: refused, carried out without an answer, cut, held, mute.</summary>
    private static void Chaos(FaultProxy proxy, ScriptedPrometheus prometheus)
    {
        var random = new Random(s_seed);
        int Next(int of)
        {
            lock (random)
                return random.Next(of);
        }

        string[] lines = [.. FaultAction.Watches.Where(static w => w != FaultAction.OldList)]; // which belongs to a place
        proxy.Chance = call =>
        {
            var answers = call.IsRead ? FaultAction.ReadAnswers : FaultAction.Answers;
            return (call.IsRead || call.IsWrite) && Next(100) == 0 ? answers[Next(answers.Count)] : null;
        };
        proxy.LineChance = _ => Next(500) == 0 ? lines[Next(lines.Length)] : null;
        prometheus.Script = (context, _) =>
        {
            if (Next(50) != 0)
                return Task.FromResult(false);
            context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            return Task.FromResult(true);
        };
    }

    private static async Task UntilAllEndedAsync(Fleet fleet, string what, SoakPair pair)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (await fleet.UnfinishedAsync() is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMinutes(15))
                Assert.Fail($"{left.Count} not {what}:\n{string.Join('\n', left.Take(20))}\n{pair.Logs()}");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        }
    }
}
