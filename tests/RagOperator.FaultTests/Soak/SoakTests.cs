using System.Net;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Running;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;
using Xunit.Abstractions;

namespace RagOperator.FaultTests.Soak;

/// <summary>Many rollouts at once, for a long time, with faults by chance: nothing grows, and all end where they should. <c>make soak</c>.</summary>
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
        proxy.Trajectory.Keep = false;
        await using var prometheus = await ScriptedPrometheus.StartAsync();
        var fleet = new Fleet(bed.Api, s_size, s_seed);
        prometheus.Value = fleet.Value;
        File.Delete(Path.Combine(folder, "operator.log"));
        const int Port = 18999;
        await using var process = OperatorProcess.Start(Path.Combine(folder, "operator.log"),
        [
            "--kubeconfig", proxy.KubeConfig, "--http.address", "127.0.0.1", "--http.port", $"{Port}", "--metricSources.default.url", prometheus.Url,
            "--metricSources.default.timeout", "5s",
        ]);

        await fleet.InstallAsync();
        await UntilAllEndedAsync(fleet, "installed", process);
        Chaos(proxy, prometheus);
        var gauges = await ReleaseAsync(fleet, process, new Uri($"http://127.0.0.1:{Port}/metrics"));

        // The faults stop; every one of them must end well.
        proxy.Chance = static _ => null;
        proxy.LineChance = static _ => null;
        prometheus.Script = static (_, _) => Task.FromResult(false);
        await fleet.FinishAsync();
        await UntilAllEndedAsync(fleet, "promoted in the end", process);
        Assert.Null(process.ExitCode);
        Assert.Empty(process.LogLines("nhandled exception"));
        CheckFlat(gauges);
        FaultClass.Tell("soak", fleet.Releases, fleet.Releases, 0, $"{s_minutes} min, {s_size} objects, {fleet.Rollbacks} rollbacks; {gauges[^1]}");
    }

    private async Task<List<ProcessGauge>> ReleaseAsync(Fleet fleet, OperatorProcess process, Uri metrics)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(s_minutes), TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        var releasing = fleet.KeepReleasingAsync(stop.Token);
        var gauges = new List<ProcessGauge>();
        while (!releasing.IsCompleted)
        {
            gauges.Add(await ProcessGauge.ReadAsync(process.Pid ?? throw new InvalidOperationException($"the operator ended with {process.ExitCode}"), http, metrics, TimeProvider.System.GetElapsedTime(began)));
            await Task.WhenAny(releasing, Task.Delay(s_sample, TimeProvider.System));
        }

        await releasing;
        foreach (var gauge in FaultClass.Spread(gauges, 25))
            output.WriteLine(gauge.ToString());
        output.WriteLine($"{fleet.Releases} releases, {fleet.Rollbacks} rollbacks");
        return gauges;
    }

    /// <summary>One request in a hundred, one watch line in five hundred and one question in fifty go wrong.</summary>
    private static void Chaos(FaultProxy proxy, ScriptedPrometheus prometheus)
    {
        var random = new Random(s_seed);
        int Next(int of)
        {
            lock (random)
                return random.Next(of);
        }

        string[] lines = [FaultAction.Cut, FaultAction.CutMidLine, FaultAction.Repeat, FaultAction.Skip, FaultAction.GoneEvent];
        proxy.Chance = call => call.IsWrite && Next(100) == 0 ? FaultAction.Answers[Next(FaultAction.Answers.Count)] : null;
        proxy.LineChance = _ => Next(500) == 0 ? lines[Next(lines.Length)] : null;
        prometheus.Script = (context, _) =>
        {
            if (Next(50) != 0)
                return Task.FromResult(false);
            context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            return Task.FromResult(true);
        };
    }

    private static async Task UntilAllEndedAsync(Fleet fleet, string what, OperatorProcess process)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (await fleet.UnfinishedAsync() is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMinutes(15))
                Assert.Fail($"{left.Count} not {what}:\n{string.Join('\n', left.Take(20))}\n{string.Join('\n', process.LogLines().TakeLast(20))}");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        }
    }

    /// <summary>The last quarter against the second one: the first is warm-up.</summary>
    private static void CheckFlat(List<ProcessGauge> gauges)
    {
        var second = gauges.Skip(gauges.Count / 4).Take(gauges.Count / 4).ToList();
        var last = gauges.Skip(gauges.Count * 3 / 4).ToList();
        void Flat(string what, Func<ProcessGauge, double> of, double slack)
        {
            var (before, after) = (second.Select(of).Order().ElementAt(second.Count / 2), last.Select(of).Order().ElementAt(last.Count / 2));
            Assert.True(after <= (before * 1.1) + slack, $"{what} grew from {before:0.0} to {after:0.0}");
        }

        Flat("memory (MiB)", g => g.Memory, 10);
        Flat("handles", g => g.Handles, 20);
        Flat("threads", g => g.Threads, 10);
        Flat("series", g => g.Series, 20);
    }
}
