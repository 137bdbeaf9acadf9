using System.Collections.Concurrent;
using System.Globalization;
using RagOperator.FaultTests.Oracles;
using RagOperator.FaultTests.Peers;
using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Metrics;

/// <summary>One world and one rollout in it that meets many bad answers, one after the other, and has to end well all the same.</summary>
public sealed class MetricWalk : IAsyncDisposable
{
    /// <summary>The credentials of the source, which nobody may read anywhere.</summary>
    private const string Token = "s3cret-4f2a9c1b7e";
    private const string Forever = "10h";
    private const string Moment = "1s";

    // Far beyond what an operator needs for an answer of 1 MiB, far below one of 200 MB.
    private const long MostGrowth = 120_000_000;

    // The times that were asked for since the source answers badly.
    private readonly ConcurrentDictionary<string, bool> _struck = new(StringComparer.Ordinal);
    private readonly FaultWorld _world;
    private readonly ScriptedPrometheus _elsewhere;
    private readonly TimeSpan _interval;
    private readonly string _folder;
    private readonly SourceCertificates? _certificates;
    private int _askedBefore;

    private MetricWalk(FaultWorld world, ScriptedPrometheus elsewhere, TimeSpan interval, string folder, SourceCertificates? certificates) =>
        (_world, _elsewhere, _interval, _folder, _certificates) = (world, elsewhere, interval, folder, certificates);

    /// <summary>A service with one release installed, and a healthy source.</summary>
    /// <param name="bed">Where.</param>
    /// <param name="name">A word for it.</param>
    /// <param name="interval">How often metrics are asked for.</param>
    /// <param name="withTls">Whether the source's address is an https one.</param>
    public static async Task<MetricWalk> StartAsync(FaultBed bed, string name, TimeSpan interval, bool withTls)
    {
        var folder = Directory.CreateTempSubdirectory("rag-metrics-").FullName;
        var (tokenFile, caFile) = (Path.Combine(folder, "token"), Path.Combine(folder, "ca.pem"));
        await File.WriteAllTextAsync(tokenFile, Token);
        var certificates = withTls ? new SourceCertificates() : null;
        if (certificates is not null)
            await File.WriteAllTextAsync(caFile, certificates.AuthorityPem);
        var elsewhere = await ScriptedPrometheus.StartAsync();
        string[] arguments = ["--metricSources.default.bearerTokenFile", tokenFile, "--log.level", "debug", .. withTls ? ["--metricSources.default.caFile", caFile] : (string[])[]];
        var world = await FaultWorld.CreateAsync(bed, name, [], arguments, withLease: false, await ScriptedPrometheus.StartAsync(certificates?.Good));
        var walk = new MetricWalk(world, elsewhere, interval, folder, certificates);
        world.Prometheus.Value = static query => query.StartsWith("requests", StringComparison.Ordinal) ? 100 : 0.001;
        await world.InstallAsync(walk.Spec("1", static _ => Moment));
        world.Proxy.Trajectory.Arm();
        return walk;
    }

    /// <summary>Goes on to the cell's step, lets the source answer as the cell says, watches, and heals it.</summary>
    /// <returns>What was not as it should be.</returns>
    public async Task<IReadOnlyList<string>> PlayAsync(MetricCell cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        await ReachAsync(cell.Step);
        var memory = Memory("VmRSS");
        var before = await _world.StatusAsync();
        await BreakAsync(cell);
        try
        {
            var troubles = cell.Verdict == "Breach" ? await RolledBackAsync(cell) : await StandsAsync(cell, before);
            var growth = Memory("VmHWM") - memory;
            return growth > MostGrowth ? [.. troubles, $"the operator grew by {growth / 1_000_000} MB"] : troubles;
        }
        finally
        {
            await HealAsync();
        }
    }

    /// <summary>Lets the rollout go on with a healthy source and applies what holds of every story.</summary>
    /// <returns>What was not as it should be.</returns>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await GoAsync(static _ => Moment);
        var end = await _world.UntilAsync(static s => s is { Phase: "Healthy", IsRetiring: false, Canary: "" }, "promoted once the source is well");
        await _world.QuietAsync(TimeSpan.FromSeconds(2));
        List<string> troubles = [.. _world.ProcessTroubles()];
        if (end.Reason("SlaMet") != "AllPass")
            troubles.Add($"promoted, it says of its SLA: {end.Reason("SlaMet")}: {end.ConditionMessage("SlaMet")}");
        if (_elsewhere.Asked > 0)
            troubles.Add($"the host that a redirect named was asked {_elsewhere.Asked} times");
        var events = await _world.Api.ListAsync($"/api/v1/namespaces/{_world.Namespace}/events");
        if (Array.Exists([$"{await _world.ObjectAsync()}", .. events.Select(static e => e.ToString()), .. _world.Operator.LogLines(Token)], static text => text.Contains(Token, StringComparison.Ordinal)))
            troubles.Add("the source's token can be read in status, events or the log");
        if (await _world.StopOperatorAsync() is { } ending)
            troubles.Add(ending);
        troubles.AddRange(Invariants.Broken(_world.Proxy.Trajectory.All));
        return troubles;
    }

    /// <summary>Removes what the run left on disk: it passed.</summary>
    public void Forget() => _world.Forget();

    /// <summary>All that matters for whoever looks for the cause.</summary>
    public Task<string> DescribeAsync() => _world.DescribeAsync();

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _elsewhere.DisposeAsync();
        _certificates?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private ServiceSpec Spec(string api, Func<int, string> hold) => new()
    {
        Api = api,
        HoldOf = hold,
        Interval = $"{_interval.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s",
        // Stable's answers matter for the second part alone.
        Limit = """{"max": "1%", "maxIncrease": "1%"}""",
        Sla = """ "volume": {"query": "requests{service=\"$(service)\"}", "min": 10},""",
    };

    /// <summary>Walks up to a step and stays there, its clock running. After a rollback the same release is tried again.</summary>
    private async Task ReachAsync(int step)
    {
        await GoAsync(i => i < step ? Moment : Forever);
        await _world.UntilAsync(
            s => s is { StepState: "Holding", Verdict: "Pass", Failed: "" } && s.StepIndex == step && IsRunning(s), $"step {MetricCell.Steps[step]} with its clock running");
    }

    private async Task GoAsync(Func<int, string> hold)
    {
        await _world.ApplyAsync(Spec("2", hold));
        var status = await _world.UntilAsync(static s => s.Canary.Length > 0 || s.Failed.Length > 0 || s.Phase == "Healthy", "the new release is begun");
        if (status.Failed.Length == 0)
            return;
        await _world.RequestAsync("retry/current");
        await _world.UntilAsync(static s => s.Failed.Length == 0, "a new attempt");
    }

    private async Task BreakAsync(MetricCell cell)
    {
        if (cell.Row.Answer is not { } answer)
        {
            // Connections that are open already would go on to be used.
            await _world.Prometheus.DownAsync();
            _askedBefore = _world.Prometheus.Asked;
            if (cell.Row.Deceive is { } deceive)
            {
                deceive(_world.Prometheus, _certificates!);
                await _world.Prometheus.UpAsync();
            }

            return;
        }

        _struck.Clear();
        _world.Prometheus.Script = async (context, query) =>
        {
            if (!cell.Hits(query, _world.FirstService))
                return false;
            _struck.TryAdd(ScriptedPrometheus.TimeOf(context), true);
            await answer(new MetricQuestion(context, query, _elsewhere));
            return true;
        };
    }

    private async Task HealAsync()
    {
        _world.Prometheus.Script = static (_, _) => Task.FromResult(false);
        if (_certificates is not null)
            await _world.Prometheus.DownAsync();
        _world.Prometheus.Certificate = _certificates?.Good;
        await _world.Prometheus.UpAsync();
    }

    /// <summary>No verdict that counts: everything stays as it is, even though the hold is over.</summary>
    private async Task<IReadOnlyList<string>> StandsAsync(MetricCell cell, StatusView before)
    {
        var troubles = new List<string>();
        // What was asked before may still be on its way, and on a busy machine may have failed by itself: the third look is the row's for sure.
        var broken = TimeProvider.System.GetTimestamp();
        await _world.UntilAsync(() => Task.FromResult(cell.Row.Answer is null ? TimeProvider.System.GetElapsedTime(broken) > 3 * _interval : _struck.Count > 2), "three looks at the source");
        var first = await _world.UntilAsync(s => s.Verdict == cell.Verdict && (cell.Verdict == "Pass" || !IsRunning(s)), $"{cell.Verdict}");
        if (cell.Verdict != "Pass")
        {
            troubles.AddRange(Named(cell, first));
            // Now only the clock that stands keeps the step from ending.
            await _world.ApplyAsync(Spec("2", i => i <= cell.Step ? Moment : Forever));
            await _world.UntilAsync(static _ => true, "the shorter hold is seen");
        }

        var (asked, start) = (_world.Prometheus.Asked, TimeProvider.System.GetTimestamp());
        var enough = asked + (cell.Row.Answer is null ? 0 : 4);
        while (TimeProvider.System.GetElapsedTime(start) < 2 * _interval || _world.Prometheus.Asked < enough)
        {
            var now = await _world.StatusAsync();
            if (now.Weight != before.Weight || now.StepName != before.StepName || now.StepState != before.StepState)
                troubles.Add($"it moved: {now}; {now.Metric("message")}");
            if (now.RollbackDecided != before.RollbackDecided || now.Failed.Length > 0)
                troubles.Add($"it is taken back: {now}");
            if (now.Streak > 0)
                troubles.Add($"a streak of {now.Streak}");
            if (cell.Verdict != "Pass" && (IsRunning(now) || now.HeldFor != first.HeldFor))
                troubles.Add($"the clock does not stand: {first.HeldFor}, then {now.HeldFor}");
            if (troubles.Count > 0 || TimeProvider.System.GetElapsedTime(start) > FaultWorld.Patience)
                break;
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System);
        }

        var rounds = (TimeProvider.System.GetElapsedTime(start) / _interval) + 2;
        // Value and volume of both releases; only where the source fails is it asked again within the interval.
        var most = rounds * 4 * (cell.Verdict == "Error" ? 5 : 1);
        if (_world.Prometheus.Asked < enough || _world.Prometheus.Asked - asked > most)
            troubles.Add($"asked {_world.Prometheus.Asked - asked} times in {rounds - 2:0.0} intervals");
        if (cell.Row.Deceive is not null && _world.Prometheus.Asked > _askedBefore)
            troubles.Add("who could not be trusted was asked, and so was told the token");
        var last = await _world.StatusAsync();
        if (last.Verdict != cell.Verdict || (cell.Verdict == "Pass" && !IsRunning(last)))
            troubles.Add($"then {last.Verdict} {last.Message}");
        if (await _world.WeightBesideAsync(_world.FirstService) is var weight && weight != before.Weight)
            troubles.Add($"the route gives it {weight}%");
        // The longer hold again, before the source is well.
        await _world.ApplyAsync(Spec("2", i => i < cell.Step ? Moment : Forever));
        await _world.UntilAsync(static _ => true, "the longer hold is seen");
        return troubles;
    }

    /// <summary>What people read while there is no verdict.</summary>
    private static IEnumerable<string> Named(MetricCell cell, StatusView status)
    {
        if (status.Metric("message")?.GetString()?.Contains(cell.Row.Says, StringComparison.Ordinal) != true)
            yield return $"the metric says: {status.Metric("message")}";
        if (!status.Message.Contains("the clock stands: errors ", StringComparison.Ordinal))
            yield return $"the message does not name it: {status.Message}";
        if (status.Condition("SlaMet") != "Unknown" || !status.ConditionMessage("SlaMet").Contains("errors", StringComparison.Ordinal))
            yield return $"SlaMet is {status.Condition("SlaMet")}: {status.ConditionMessage("SlaMet")}";
    }

    private async Task<IReadOnlyList<string>> RolledBackAsync(MetricCell cell)
    {
        var status = await _world.UntilAsync(static s => s is { Phase: "Degraded", Weight: 0 } && s.Condition("RolledBack") == "True", "taken back");
        var troubles = new List<string>();
        if (status.RollbackCause != "SlaBreach" || status.RollbackStep != MetricCell.Steps[cell.Step])
            troubles.Add($"taken back for {status.RollbackCause} in step {status.RollbackStep}");
        if (await _world.WeightBesideAsync(_world.FirstService) is > 0 and var weight)
            troubles.Add($"the route still gives it {weight}%");
        if (status.Condition("SlaMet") != "False")
            troubles.Add($"SlaMet is {status.Condition("SlaMet")}");
        return troubles;
    }

    private static bool IsRunning(StatusView status) => status.HoldUntil.Length > 0;

    /// <summary>A number of the operator's process, in bytes: VmRSS is what it holds, VmHWM the most that it held.</summary>
    private long Memory(string name)
    {
        if (_world.Operator.Pid is not { } pid)
            return 0;
        var line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith($"{name}:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
