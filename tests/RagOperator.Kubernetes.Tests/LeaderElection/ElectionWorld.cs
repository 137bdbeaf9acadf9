using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>
/// Several electors and one server on one simulated clock: electors' own clocks run at different rates from different origins, requests and answers take
/// time or get lost, watches lag, break and repeat, processes are stopped, killed, cut off and asked to stop. One history, one course.
/// </summary>
internal sealed class ElectionWorld
{
    private static readonly (double Lease, double Renew, double Retry)[] Durations = [(15, 10, 2), (15, 10, 2), (3, 2, 0.5), (60, 40, 5)];

    private readonly PriorityQueue<Action, (long At, long Order)> _agenda = new();
    private readonly StringBuilder _history = new();
    private readonly List<ElectionNode> _nodes = [];
    private readonly int _seed;
    private readonly bool _mixed;
    private long _order;
    private JsonObject? _lease;
    private int _version;
    private int _born;

    public ElectionWorld(ElectionHistory history)
    {
        (_seed, _mixed) = (history.Seed, history.Mixed);
        for (var i = history.Nodes; i > 0; i--) Bear();
        foreach (var disturbance in history.Disturbances) At(Seconds(disturbance.At), () => Disturb(disturbance));
    }

    /// <summary>Global time in ticks, which nobody in the world knows.</summary>
    public long Now { get; private set; }

    public long LastCommit { get; private set; }

    public string? Violation { get; private set; }

    public int Terms { get; set; }

    public string History => _history.ToString();

    public IEnumerable<ElectionNode> Leaders => _nodes.Where(n => n.IsAlive && n.Term.IsLeader);

    public static long Seconds(double seconds) => (long)(seconds * TimeSpan.TicksPerSecond);

    public void At(long time, Action what) => _agenda.Enqueue(what, (Math.Max(time, Now), _order++));

    public void Note(string text) => _history.Append($"{TimeSpan.FromTicks(Now).TotalSeconds,10:0.000} {text}\n");

    public void Violated(string what) => Violation ??= $"{what} at {TimeSpan.FromTicks(Now).TotalSeconds:0.000}";

    /// <summary>Plays until then, or until something is wrong.</summary>
    public void Play(TimeSpan length)
    {
        var events = 0;
        while (Violation is null && _agenda.TryDequeue(out var what, out var when) && when.At <= length.Ticks)
        {
            // Five minutes take some thousand.
            if (++events > 200_000) Violated("somebody is too busy");
            Now = when.At;
            what();
            Check();
        }
    }

    // The server.
    public LeaseRecord? Read() => _lease is null ? null : LeaseRecord.Parse(Encoding.UTF8.GetBytes(_lease.ToJsonString()));

    public (ApiReason Reason, LeaseRecord? Lease) Write(LeaseAction action, JsonObject body)
    {
        if (action == LeaseAction.Create && _lease is not null) return (ApiReason.AlreadyExists, null);
        if (action == LeaseAction.Update && _lease is null) return (ApiReason.NotFound, null);
        if (action == LeaseAction.Update && body["metadata"]!["resourceVersion"]!.GetValue<string>() != $"{_version}") return (ApiReason.Conflict, null);
        _lease = body.DeepClone().AsObject();
        _lease["metadata"]!["resourceVersion"] = $"{++_version}";
        _lease["metadata"]!["uid"] = "u";
        LastCommit = Now;
        var lease = Read()!;
        Note($"server: {lease.Holder} at {_version}");
        foreach (var node in _nodes.Where(static n => n.IsAlive).ToList()) node.Show(lease);
        return (ApiReason.None, lease);
    }

    /// <summary>A new process in place of one that ended.</summary>
    public void Bear()
    {
        // Each its own: what happens to one draws nothing away from another, so that a history can be cut down.
        var random = new Random(_seed ^ (_born * 7919));
        var (lease, renew, retry) = _mixed ? Durations[random.Next(Durations.Length)] : Durations[0];
        var name = $"n{_born++}";
        var node = new ElectionNode(this, random, name, new LeaderElectionConfig
        {
            Lease = new("system", "operator"),
            Identity = name,
            LeaseDuration = TimeSpan.FromSeconds(lease),
            RenewDeadline = TimeSpan.FromSeconds(renew),
            RetryPeriod = TimeSpan.FromSeconds(retry),
        });
        _nodes.RemoveAll(static n => !n.IsAlive);
        _nodes.Add(node);
        node.Start();
    }

    private void Disturb(Disturbance what)
    {
        // The leader more often than not: that is where it hurts.
        var alive = _nodes.Where(static n => n.IsAlive).ToList();
        var victim = what.OfLeader && Leaders.FirstOrDefault() is { } leader ? leader : alive.Count > 0 ? alive[what.Choice % alive.Count] : null;
        switch (what.Kind)
        {
            case DisturbanceKind.Freeze: victim?.Freeze(Seconds(what.Length)); break;
            case DisturbanceKind.CutOff: victim?.CutOff(Seconds(what.Length)); break;
            case DisturbanceKind.Kill: victim?.Kill(); break;
            case DisturbanceKind.Stop: victim?.Stop(); break;
            case DisturbanceKind.BreakWatch: victim?.BreakWatch(); break;
        }
    }

    private void Check()
    {
        var leaders = Leaders.ToList();
        if (leaders.Count > 1) Violated($"{string.Join(" and ", leaders.Select(static n => n.Name))} both lead");
        if (leaders.Count > 0 || Violation is not null) return;
        // With one that could lead all the time, somebody does: a lease after the last sign of life, on the slowest clock, and a second.
        var healthy = _nodes.Where(static n => n.IsAlive).Select(static n => n.HealthySince).Where(static h => h is not null).Min();
        var silence = Read() is { IsFree: false } held ? held.Duration!.Value : TimeSpan.Zero;
        if (healthy is { } since && Now > Math.Max(since, LastCommit) + (long)(silence.Ticks / ElectionNode.SlowestRate) + Seconds(1))
            Violated($"nobody leads, although one could since {TimeSpan.FromTicks(since).TotalSeconds:0.000}");
    }
}
