using System.Text;
using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;

namespace RagOperator.Engine.Tests.World;

/// <summary>One accepted write, and what status said at that time; a null write is a write of status.</summary>
internal sealed record Step(DateTimeOffset At, Write? Write, RagDeploymentStatus? Status, IReadOnlyList<Backend> RouteBefore);

/// <summary>The operator around the engine in a simulated cluster, with a clock that jumps to whatever happens next. Every write is held
/// against the safety rules as it is made.</summary>
internal sealed class Sim
{
    private readonly SortedList<DateTimeOffset, List<Action>> _plans = [];
    private readonly Safety _safety;
    private EngineMemory _memory = EngineMemory.Empty;
    private PreflightView? _preflight;
    private string? _lastError;
    private readonly Dictionary<string, string> _unwritten = new(StringComparer.Ordinal);
    private EngineOutput? _last;
    private DateTimeOffset? _retryAt;
    private int _seenStatus;

    public Sim(SpecText? spec = null, string name = "assistant")
    {
        Spec = spec ?? new SpecText();
        Cluster = new Cluster(name, Spec.Json());
        Metrics = new Metrics(Cluster);
        Ports = new Ports(Cluster);
        _safety = new Safety(this);
    }

    public SpecText Spec { get; }

    public Cluster Cluster { get; }

    public Metrics Metrics { get; }

    public Ports Ports { get; }

    public List<Step> Trajectory { get; } = [];

    public List<(DateTimeOffset At, EngineEvent Event)> Events { get; } = [];

    /// <summary>Faults of the writes to come; null: none.</summary>
    public FaultPlan? Faults { get; set; }

    public int StatusWrites { get; private set; }

    public int Passes { get; private set; }

    public EngineOutput Last => _last!;

    /// <summary>What the last decision was made from.</summary>
    public EngineInput? Input { get; private set; }

    public DateTimeOffset Now => Cluster.Now;

    public RagDeploymentStatus Status => Cluster.Status ?? new RagDeploymentStatus();

    // What a user sees.
    public string? Phase => Status.Phase;

    public string Message => Status.Message ?? "";

    public string? StepName => Status.Step?.Name;

    public string Condition(string type) => Status.Conditions?.Find(c => c.Type == type) is { } c ? $"{c.Status} {c.Reason}" : "-";

    /// <summary>Percent of the requests that pods of this image get by the route.</summary>
    public int Weight(string image) => Cluster.Deployments.Values.Where(d => d.Image == image).Sum(d => Cluster.WeightOf(d.Name));

    public int Pods(string image) => Cluster.Deployments.Values.Where(d => d.Image == image).Sum(static d => d.Replicas);

    public SimDeployment? Deployment(string image) => Cluster.Deployments.Values.SingleOrDefault(d => d.Image == image);

    /// <summary>Flags that pods of this image have on, sorted; null where no file is delivered to them.</summary>
    public string? Flags(string image) => Deployment(image) is { } d && Cluster.FlagMaps.TryGetValue($"{d.Name}-flags", out var map)
        ? string.Join(",", map.Flags.Where(static f => f.Value).Select(static f => f.Key).Order(StringComparer.Ordinal))
        : null;

    public bool Told(string reason) => Events.Exists(e => e.Event.Reason == reason);

    /// <summary>The weights that the canary of this image had on the route, one after the other.</summary>
    public string Weights(string image) => string.Join(" ", WeightsOf(image));

    /// <summary>Who is known to ask.</summary>
    public string? RequestedBy { get; set; }

    /// <summary>Why no record can be made; null: they can.</summary>
    public string? Unrecordable { get; set; }

    /// <summary>Why nobody is known, where somebody has to be.</summary>
    public string? Unidentified { get; set; }

    /// <summary>Whether something cannot be read.</summary>
    public bool IsBlind { get; set; }

    /// <summary>What the caches make of what is there.</summary>
    public Func<Observed, Observed> Eyes { get; set; } = static seen => seen;

    // What a user does.
    public Sim Edit(Action<SpecText> edit)
    {
        edit(Spec);
        Cluster.Apply(Spec.Json());
        return this;
    }

    public Sim Ask(string request)
    {
        Cluster.Request = request;
        return this;
    }

    // What befalls the operator.
    public Sim Restart()
    {
        _memory = EngineMemory.Empty;
        _preflight = null;
        _lastError = null;
        _unwritten.Clear();
        _last = null;
        _retryAt = null;
        Metrics.Forget();
        Ports.Forget();
        return this;
    }

    public Sim At(TimeSpan after, Action act)
    {
        if (!_plans.TryGetValue(Now + after, out var acts)) _plans[Now + after] = acts = [];
        acts.Add(act);
        return this;
    }

    /// <summary>Lets time pass while the operator is down.</summary>
    public Sim Away(TimeSpan time)
    {
        Restart();
        Cluster.Now += time;
        Cluster.Tick();
        return this;
    }

    public Sim Run(TimeSpan time)
    {
        var until = Now + time;
        while (true)
        {
            Settle();
            if (Now >= until) return this;
            Jump(until);
        }
    }

    /// <summary>Runs until something is so; fails after the limit.</summary>
    public Sim Until(Func<Sim, bool> reached, TimeSpan? within = null)
    {
        var limit = Now + (within ?? TimeSpan.FromHours(2));
        Settle();
        while (!reached(this))
        {
            Assert.True(Now < limit, $"not reached within {within ?? TimeSpan.FromHours(2)}: {this}");
            Jump(limit);
            Settle();
        }

        return this;
    }

    public Sim UntilHealthy(TimeSpan? within = null) => Until(static s => s.Phase == Phases.Healthy && s.Status.ObservedGeneration == s.Cluster.Generation, within);

    public Sim UntilStep(string name, string? state = null) => Until(s => s.StepName == name && (state is null || s.Status.Step!.State == state), TimeSpan.FromDays(40));

    /// <summary>One decision and its writes. Answers whether anything was written.</summary>
    public bool Pass()
    {
        if (!Cluster.Exists) return false;
        Passes++;
        if (_seenStatus != Cluster.StatusVersion)
        {
            _memory = EngineMemory.Empty;
            _seenStatus = Cluster.StatusVersion;
        }

        Metrics.Ask(_last?.Look);
        Ports.Ask(_last?.Port);
        Input = new EngineInput
        {
            Key = new NamespacedName(Cluster.Namespace, Cluster.Name),
            Uid = Cluster.Uid,
            Generation = Cluster.Generation,
            Request = Cluster.Request,
            RequestedBy = RequestedBy,
            Unidentified = Unidentified,
            MayNotRaise = IsBlind,
            Unrecordable = Unrecordable,
            RawSpec = Cluster.Spec,
            Reading = Cluster.Reading,
            Persisted = Cluster.Status,
            Memory = _memory,
            Observed = Eyes(Cluster.Observe()) with { Samples = Metrics.Samples.ToDictionary(), Preflight = _preflight, Port = Ports.Answer, LastError = _lastError, Unwritten = _unwritten.ToDictionary(), ExternalAddresses = Externals() },
            Now = Now,
        };
        var output = RolloutEngine.Decide(Input);
        // The last look before a release is taken back for what it lacks: it is there.
        if (output.Condemns is { } condemned && IsThere(condemned)) output = RolloutEngine.Decide(Input = Input with { MayNotCondemn = true });
        _last = output;
        _lastError = null;
        _unwritten.Clear();
        _retryAt = null;
        return Act(output);
    }

    public override string ToString()
    {
        var text = new StringBuilder($"{Now:MM-dd HH:mm:ss} {Phase} step {Status.Step?.Name}/{Status.Step?.State} held {Status.Step?.HeldFor} weight {Status.Weight}: {Message}\n");
        text.AppendLine($"route {string.Join(" ", (Cluster.Route?.Backends ?? []).Select(static b => $"{b.Service}={b.Weight}"))} verified {Cluster.Route?.VerifiedAt:HH:mm:ss}; next {_last?.NextLook:HH:mm:ss}");
        foreach (var d in Cluster.Deployments.Values) text.AppendLine($"  {d.Name} {d.Image} {Cluster.Available(d)}/{d.Replicas}");
        foreach (var (at, e) in Events.TakeLast(12)) text.AppendLine($"  {at:HH:mm:ss} {e.Reason}: {e.Message}");
        foreach (var s in Trajectory.TakeLast(15)) text.AppendLine($"  {s.At:HH:mm:ss} {Describe(s.Write)}");
        return text.ToString();
    }

    public static string Describe(Write? write) => write switch
    {
        null => "status",
        ApplyRoute r => $"route {string.Join(" ", r.Backends.Select(static b => $"{b.Service}={b.Weight}"))} {r.Way}",
        CreateDeployment d => $"create deployment {d.Component} x{d.Replicas}",
        ScaleDeployment d => $"scale {d.Target.Name} {d.Target.Replicas}->{d.Replicas}",
        ApplyFlags f => $"flags {f.Component}-{f.Revision} {string.Join(",", f.Flags.Select(static x => $"{x.Key}={x.Value}"))} {f.Way}",
        DeleteChild d => $"delete {d.Kind} {d.Target.Name}",
        var w => w.GetType().Name,
    };

    private List<int> WeightsOf(string image)
    {
        var service = Cluster.Deployments.Values.Single(d => d.Image == image).Name;
        var weights = new List<int>();
        foreach (var weight in Trajectory.Select(static s => s.Write).OfType<ApplyRoute>().Select(r => r.Backends.Where(b => b.Service == service).Sum(static b => b.Weight)))
        {
            if (weights.Count == 0 ? weight > 0 : weights[^1] != weight) weights.Add(weight);
        }

        return weights;
    }

    private Dictionary<string, int> Externals() =>
        (_last?.Externals ?? []).ToDictionary(static e => e, e => Cluster.Externals.GetValueOrDefault(e));

    private void Settle()
    {
        for (var i = 0; ; i++)
        {
            Assert.True(i < 60, $"it does not come to rest: {this}");
            if (_retryAt > Now) return;
            var externals = _last?.Externals.Count ?? 0;
            var wrote = Pass();
            // Questions that are new and due at once are answered at once, and what is asked about outside is known in the next look.
            if (!wrote && !Metrics.Ask(_last?.Look) && !Ports.Ask(_last?.Port) && (_last?.Externals.Count ?? 0) == externals) return;
        }
    }

    private void Jump(DateTimeOffset until)
    {
        var next = new[] { Cluster.Next(), _last?.NextLook, Metrics.Next(_last?.Look), Ports.Next(), _retryAt, _plans.Count > 0 ? _plans.Keys[0] : null, until }
            .Where(t => t > Now).Min()!.Value;
        Cluster.Now = next < until ? next : until;
        Cluster.Tick();
        while (_plans.Count > 0 && _plans.Keys[0] <= Now)
        {
            var acts = _plans.Values[0];
            _plans.RemoveAt(0);
            foreach (var act in acts) act();
        }
    }

    private bool Act(EngineOutput output)
    {
        var wrote = false;
        foreach (var write in output.Before)
        {
            if (!Carry(write, false, ref wrote)) return true;
        }

        // The last look before another release is stable: what it names is not there.
        if (output.StatusNeeds is { } promoted && !IsThere(promoted))
        {
            _retryAt = Now + TimeSpan.FromSeconds(1);
            return true;
        }

        var recorded = true;
        if (output.StatusDue)
        {
            wrote = true;
            switch (WriteStatus(output))
            {
                case Fault.CrashBefore or Fault.CrashAfter or Fault.Conflict:
                    return true;
                case Fault.Refused:
                    recorded = false;
                    _lastError = "status could not be written";
                    _retryAt = Now + TimeSpan.FromSeconds(1);
                    break;
            }
        }

        if (recorded) Events.AddRange(output.Events.Select(e => (Now, e)));
        // A promotion that status does not tell is none.
        if (recorded || output.StatusNeeds is null) _memory = output.Memory;
        foreach (var write in output.After.Where(w => recorded || w.Way == Direction.Lowers))
        {
            if (write is ApplyRoute { Needs: { } needs } && !IsThere(needs)) continue;
            if (!Carry(write, !recorded, ref wrote)) return true;
        }

        return wrote;
    }

    /// <summary>What a live look shows, whatever the caches have.</summary>
    private bool IsThere(RaiseNeeds needs)
    {
        var really = Cluster.Observe();
        return really.ReadyAddresses.GetValueOrDefault(needs.Service) > 0
            && needs.Pods.All(p => really.Deployments.TryGetValue(p.Key, out var d) && d.Available >= p.Value && d.Replicas >= p.Value);
    }

    private Fault WriteStatus(EngineOutput output)
    {
        var fault = Faults?.Invoke(null) ?? Fault.None;
        if (fault is Fault.CrashBefore)
        {
            Restart();
            return fault;
        }

        if (fault == Fault.Conflict) return fault; // what was decided is forgotten, what was known before stays
        if (fault == Fault.Refused) return fault;
        Cluster.StatusText = JsonSerializer.Serialize(output.Status, ApiJsonContext.Default.RagDeploymentStatus);
        StatusWrites++;
        Trajectory.Add(new Step(Now, null, Cluster.Status, [.. Cluster.Route?.Backends ?? []]));
        _safety.AfterStatus();
        if (fault == Fault.AnswerLost)
        {
            // It is read again before anything else happens: nothing is decided from an older view than one's own write.
            _memory = EngineMemory.Empty;
            return Fault.Conflict;
        }

        if (fault == Fault.CrashAfter) Restart();
        return fault;
    }

    /// <summary>Carries one write out. Answers whether the pass may go on.</summary>
    private bool Carry(Write write, bool unrecorded, ref bool wrote)
    {
        var fault = Faults?.Invoke(write) ?? Fault.None;
        wrote = true;
        if (fault == Fault.CrashBefore)
        {
            Restart();
            return false;
        }

        if (fault is Fault.Refused or Fault.Conflict)
        {
            _lastError = $"{Describe(write)} was refused";
            if (WriteTargets.Of(Cluster.Name, write) is { } target) _unwritten[target] = _lastError;
            _retryAt = Now + TimeSpan.FromSeconds(1);
            return false;
        }

        var before = (IReadOnlyList<Backend>)[.. Cluster.Route?.Backends ?? []];
        _safety.Before(write, unrecorded);
        var refused = Applier.Apply(Cluster, write, unrecorded, p => _preflight = p);
        if (refused is not null)
        {
            _lastError = refused;
            _retryAt = Now + TimeSpan.FromSeconds(1);
            return false;
        }

        Trajectory.Add(new Step(Now, write, Cluster.Status, before));
        if (fault == Fault.CrashAfter) Restart();
        if (fault == Fault.AnswerLost) _lastError = "the answer was lost";
        return fault == Fault.None;
    }
}
