using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Rollout;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Brings the world in line with one RagDeployment: observe, decide, act, in a straight line.</summary>
/// <remarks>
/// Guarantees: nothing is raised from a cache that is older than the own last write to the object or a child, and nothing at all is decided from an
/// older status or route; a cache that does not get there within seconds is not waited for, what it does not show is read live; nothing is written of an object before its status and route were read live once in the current term of leadership, and
/// nothing raised before its flags were; with a deletionTimestamp nothing is written.
/// Assumptions: one pass of an object at a time.
/// Errors: as <see cref="IEntityController{TEntity}"/> says.
/// </remarks>
public sealed partial class RagDeploymentController : IEntityController<RagDeployment>
{
    private static readonly TimeSpan FirstLagPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestLagPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WithheldPause = TimeSpan.FromSeconds(2);
    // No cache tells when a name of somebody else's is freed, or when a CRD without objects appears.
    private static readonly TimeSpan BlindSpotPause = TimeSpan.FromSeconds(10);
    // Somebody has to give a right back; until then nothing rises.
    private static readonly TimeSpan UnreadPause = TimeSpan.FromSeconds(5);
    private const int LagsBeforeWarning = 10;
    private const int MaxErrorLength = 400;
    private const string EventAction = "Reconcile";

    private readonly System.Collections.Concurrent.ConcurrentDictionary<NamespacedName, ObjectMemory> _memories = new();
    private readonly Cluster _cluster;
    private readonly Decide _decide;
    private readonly ISampleStore _samples;
    private readonly IPortProbes _ports;
    private readonly IRolloutMetrics _metrics;
    private readonly IRequesters _requesters;
    private readonly IEventRecorder _events;
    private readonly ILeadership _leadership;
    private readonly TimeProvider _time;
    private readonly ILogger<RagDeploymentController> _logger;
    private readonly Observer _observer;
    private readonly ExternalServices _externals;
    private readonly LabelKeeper _labels;
    private readonly ChildWriter _writer;
    private readonly PassActor _actor;

    /// <summary>Puts the controller together.</summary>
    /// <param name="cluster">Caches and client.</param>
    /// <param name="router">Divides requests.</param>
    /// <param name="catalog">Metric sources and presets that specs may name.</param>
    /// <param name="decide">The decisions.</param>
    /// <param name="samples">Answers of metric sources.</param>
    /// <param name="ports">Answers of pods that were asked for connections.</param>
    /// <param name="metrics">Metrics about rollouts.</param>
    /// <param name="environment">Variables that new pods get beside the user's own.</param>
    /// <param name="requesters">Tells who wrote a request.</param>
    /// <param name="events">Events for people.</param>
    /// <param name="leadership">The term that passes run in.</param>
    /// <param name="time">The time.</param>
    /// <param name="logger">Logs.</param>
    public RagDeploymentController(
        Cluster cluster,
        ITrafficRouter<V1HTTPRoute> router,
        IMetricCatalog catalog,
        Decide decide,
        ISampleStore samples,
        IPortProbes ports,
        IRolloutMetrics metrics,
        PodEnvironment environment,
        IRequesters requesters,
        IEventRecorder events,
        ILeadership leadership,
        TimeProvider time,
        ILogger<RagDeploymentController> logger)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        _cluster = cluster;
        _decide = decide;
        _samples = samples;
        _ports = ports;
        _metrics = metrics;
        _requesters = requesters;
        _events = events;
        _leadership = leadership;
        _time = time;
        _logger = logger;
        _observer = new Observer(cluster, router, samples, ports, catalog);
        _externals = new ExternalServices(cluster, time, logger);
        _labels = new LabelKeeper(cluster, time);
        var look = new LiveLook(cluster, time);
        _writer = new ChildWriter(cluster, router, environment, look, time);
        _actor = new PassActor(_writer, look, new StatusWriter(cluster, time), new Preflighter(cluster, router, environment, time), metrics, time);
    }

    /// <inheritdoc/>
    public async Task<ReconciliationResult<RagDeployment>> ReconcileAsync(RagDeployment entity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entity);
        var owner = new ChildOwner(entity.Key(), entity.Uid());
        if (entity.Metadata.DeletionTimestamp is not null)
        {
            _samples.Want(owner.Uid, owner.Key, null);
            _ports.Want(owner.Uid, owner.Key, null);
            return ReconciliationResult<RagDeployment>.Success();
        }

        var memory = MemoryOf(owner);
        if (await CatchUpAsync(owner, memory, cancellationToken) is { } notYet) return notYet;

        // The object that the host handed over may be older than what the cache has by now.
        if (Newest(owner, memory) is not { } newest || !string.Equals(newest.Uid(), owner.Uid, StringComparison.Ordinal)
            || newest.Metadata.DeletionTimestamp is not null)
            return ReconciliationResult<RagDeployment>.Success(IsCached(owner) ? WaitPause : TimeSpan.Zero);

        var (mended, refused) = await _labels.KeepAsync(owner, newest, memory, cancellationToken);
        if (refused is not null) return Failed(refused);
        if (mended) return ReconciliationResult<RagDeployment>.Success(FirstLagPause);

        if (!_requesters.CanTell(newest)) return ReconciliationResult<RagDeployment>.Success(FirstLagPause);

        await LookBeyondCachesAsync(owner, memory, cancellationToken);
        var seen = _observer.Observe(owner, newest, memory);
        var input = Input(owner, newest, memory, seen);
        var output = _decide(input);
        if (output.Condemns is { } blamed && !await _actor.IsLackingAsync(PassOf(), blamed, cancellationToken))
        {
            // All else of this pass is decided and done all the same.
            input = input with { MayNotCondemn = true };
            output = _decide(input);
        }

        var pass = PassOf();
        var report = await _actor.ActAsync(pass, input, output, cancellationToken);
        // Its turn to decide counts once what it decided was written.
        if (memory.RouteLeftAlone && !report.Stale) memory.RouteGivenBack = false;
        return Settle(pass, input, output, report);

        Pass PassOf() => new() { Owner = owner, Memory = memory, Seen = seen, Entity = newest, Spec = SpecOf(input, output) };
    }

    /// <inheritdoc/>
    public Task<ReconciliationResult<RagDeployment>> DeletedAsync(RagDeployment entity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entity);
        var key = entity.Key();
        if (_memories.TryGetValue(key, out var memory) && string.Equals(memory.Uid, entity.Uid(), StringComparison.Ordinal))
            _memories.TryRemove(new(key, memory));
        _samples.Want(entity.Uid(), key, null);
        _ports.Want(entity.Uid(), key, null);
        _metrics.Forget(key);
        return Task.FromResult(ReconciliationResult<RagDeployment>.Success());
    }

    private RagDeployment? Newest(ChildOwner owner, ObjectMemory memory) => memory.Ledger.Get(_cluster.ObjectPort, owner.Key) as RagDeployment;

    /// <summary>Whether the cache shows this very object, and not that it goes: then no event would come of itself.</summary>
    private bool IsCached(ChildOwner owner) =>
        _cluster.Objects.Get(owner.Key) is { Metadata.DeletionTimestamp: null } cached && string.Equals(cached.Uid(), owner.Uid, StringComparison.Ordinal);

    private ObjectMemory MemoryOf(ChildOwner owner)
    {
        // What was learned before the current term says nothing about what others wrote in between.
        var term = _leadership.TermToken;
        if (_memories.TryGetValue(owner.Key, out var memory) && memory.Term == term && string.Equals(memory.Uid, owner.Uid, StringComparison.Ordinal)) return memory;
        if (memory is not null)
        {
            _samples.Want(memory.Uid, owner.Key, null);
            _ports.Want(memory.Uid, owner.Key, null);
        }

        return _memories[owner.Key] = new ObjectMemory(owner, term);
    }

    /// <summary>Waits for caches that are older than what is known already.</summary>
    /// <returns>What to answer while they are; null when the pass may go on.</returns>
    private async Task<ReconciliationResult<RagDeployment>?> CatchUpAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        memory.Unread = null;
        if (await memory.Ledger.ReadUnsureAsync(IsVital, cancellationToken) is { Answer.Result: var unsure, IsVital: var isVital })
        {
            if (isVital) return Failed(unsure);
            memory.Unread = unsure;
        }

        if (!memory.ReadLive)
        {
            if (await ReadLiveAsync(owner, memory, cancellationToken) is { } failure) return Failed(failure);
            // What is lowered needs status and route alone; a rollback must not wait for a right to list flags.
            if (await ListLiveAsync<V1ConfigMap>(ChildKind.ConfigMap, owner, memory, cancellationToken) is { } unread) memory.Unread = unread;
            else memory.ReadLive = true;
        }

        var lagging = Lagging(memory);
        // The status is as new as what was read live; only now can it be asked whether it names a stable release.
        if (lagging is null)
        {
            var knows = Newest(owner, memory)?.Status?.StableRevision is not null;
            if (!knows && !memory.ReadRecords)
            {
                if (await ReadRecordsAsync(owner, memory, cancellationToken) is { } failure) return Failed(failure);
                lagging = Lagging(memory);
            }

            memory.ReadRecords = !knows;
        }

        if (lagging is null)
        {
            memory.Lags = 0;
            return null;
        }

        memory.Lags++;
        if (memory.Lags == LagsBeforeWarning) LogLags(_logger, owner.Key, lagging);
        if (memory.Lags % LagsBeforeWarning == 0) memory.Ledger.Doubt();
        // Neither the cache nor the server tells of some child: what lowers does not wait for it.
        if (memory.Lags > LagsBeforeWarning && memory.Unread is not null && Lagging(memory, IsVital) is null) return null;
        var pause = FirstLagPause * Math.Pow(2, Math.Min(memory.Lags - 1, 10));
        return ReconciliationResult<RagDeployment>.Success(pause < LongestLagPause ? pause : LongestLagPause);
    }

    // Routes are optional, so nobody waited for their cache; yet an unread cache must not be taken for "there is no route".
    private string? Lagging(ObjectMemory memory, Func<KindPort, bool>? matters = null) =>
        _cluster.Routes is { HasSynced: false, State: not CacheState.KindMissing } ? "the list of routes"
        : !_cluster.KnowsAddresses ? "the addresses behind Services"
        : memory.Ledger.Lagging(matters);

    // Caches may be filled from a server that lags. Before anything of an object is raised in a term, what a former leader may have
    // written last is read from the store itself: its status, its route and its flags; the first two before anything at all.
    private async Task<ApiResult?> ReadLiveAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        if (await memory.Ledger.ReadAsync(_cluster.ObjectPort, owner.Key, cancellationToken) is { } failed) return failed.Result;
        var route = _cluster.Child(ChildKind.HttpRoute);
        return await memory.Ledger.ReadAsync(route, owner.Child(ChildNames.Route(owner.Name)), cancellationToken) is { } refused ? refused.Result : null;
    }

    private bool IsVital(KindPort port) => ReferenceEquals(port, _cluster.ObjectPort) || ReferenceEquals(port, _cluster.Child(ChildKind.HttpRoute));

    // Where no status names a stable release, what tells of one is read live, too: each kind has a watch of its own, and a restored object
    // may be seen before the children that were restored first.
    private async Task<ApiResult?> ReadRecordsAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken) =>
        await ListLiveAsync<V1ControllerRevision>(ChildKind.ControllerRevision, owner, memory, cancellationToken)
        ?? await ListLiveAsync<V1Service>(ChildKind.Service, owner, memory, cancellationToken);

    private async Task<ApiResult?> ListLiveAsync<T>(ChildKind kind, ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>, IKubernetesStaticMetadata
    {
        var port = _cluster.Child(kind);
        var options = new ListOptions { Namespace = owner.Namespace, LabelSelector = $"{ApiConstants.NameLabel}={owner.Name}" };
        // Before the question: what comes into the cache meanwhile is newer than the answer.
        var cached = port.CachedOf(owner.Key).ToList();
        var list = await _cluster.Client.ListAsync<T>(options, cancellationToken);
        if (list.Value is not { } found) return list;
        foreach (var child in found.Items) memory.Ledger.Saw(port, child.Key(), child.ResourceVersion());
        var names = found.Items.Select(static c => c.Key()).Concat(found.Undecodable).ToHashSet();
        foreach (var gone in cached.Where(c => !names.Contains(c.Key()))) memory.Ledger.SawDeletion(port, gone.Key(), gone.Uid());
        return null;
    }

    private async Task LookBeyondCachesAsync(ChildOwner owner, ObjectMemory memory, CancellationToken cancellationToken)
    {
        await _externals.RefreshAsync(owner, memory, cancellationToken);
        var now = _time.GetUtcNow();
        if (memory.Taken.Count == 0 || now - memory.TakenCheckedAt < BlindSpotPause) return;
        memory.TakenCheckedAt = now;
        await _writer.RecheckTakenAsync(owner, memory, cancellationToken);
    }

    private EngineInput Input(ChildOwner owner, RagDeployment entity, ObjectMemory memory, Snapshot seen)
    {
        // Somebody else wrote the status: what was worked out beside it does not belong to it any more.
        var text = StatusWriter.Text(entity.Status);
        // A write whose answer did not come may have been carried out.
        var isOurs = string.Equals(memory.LastStatus, text, StringComparison.Ordinal) || string.Equals(memory.UnansweredStatus, text, StringComparison.Ordinal);
        if (!isOurs)
        {
            memory.Engine = EngineMemory.Empty;
            memory.TakeUntold();
        }

        else if (memory.IfPromoted is { } promoted && string.Equals(memory.UnansweredStatus, text, StringComparison.Ordinal))
        {
            memory.Engine = promoted.Memory;
            memory.KeepUntold(promoted.Events);
        }

        (memory.LastStatus, memory.UnansweredStatus, memory.IfPromoted) = (text, null, null);

        var (user, unidentified) = _requesters.Of(entity);
        return new EngineInput
        {
            Key = owner.Key,
            Uid = owner.Uid,
            Generation = entity.Metadata.Generation ?? 0,
            Request = entity.GetAnnotation(ApiConstants.RequestAnnotation),
            RequestedBy = user,
            Unidentified = unidentified,
            Unrecordable = memory.Unmade?.Now(entity.Metadata.Generation ?? 0, _time.GetUtcNow()),
            RawSpec = entity.Spec,
            Reading = _observer.Read(entity, memory),
            Persisted = entity.Status,
            Memory = memory.Engine,
            Observed = seen.Observed,
            MayNotRaise = memory.Unread is not null || memory.Unpromoted?.Until > _time.GetUtcNow(),
            Now = _time.GetUtcNow(),
        };
    }

    /// <summary>The spec of the policy that the decided status names: one that is not accepted changes no route and no label.</summary>
    private static ResolvedSpec? SpecOf(EngineInput input, EngineOutput output)
    {
        var policy = output.Status.PolicyRevision;
        var kept = input.Observed.Policies.FirstOrDefault(p => string.Equals(p.Name, policy, StringComparison.Ordinal))?.Spec;
        var isNew = output.Before.OfType<CreatePolicy>().Any(p => string.Equals(p.Name, policy, StringComparison.Ordinal));
        return kept ?? (isNew ? input.Reading.Spec : null);
    }

    private ReconciliationResult<RagDeployment> Settle(Pass pass, EngineInput input, EngineOutput output, ActReport report)
    {
        var memory = pass.Memory;
        _samples.Want(pass.Owner.Uid, pass.Owner.Key, output.Look);
        _ports.Want(pass.Owner.Uid, pass.Owner.Key, output.Port is { } port ? _observer.Targets(memory, port) : null);
        memory.Externals = output.Externals;
        // A name that nothing wants any more is not asked for any more; one that is found taken in this pass is for the next to judge.
        foreach (var taken in memory.Taken.Keys.Where(t => ObjectMemory.NameOf(t) is var name && input.Observed.Taken.ContainsKey(name) && !output.Missed.Contains(name)).ToList())
            memory.Taken.Remove(taken);
        if (report.StatusStands)
        {
            memory.Engine = output.Memory;
            foreach (var e in memory.TakeUntold().Concat(output.Events))
            {
                LogEvent(_logger, pass.Owner.Key, e.Reason, e.Message);
                _events.Publish(pass.Entity, e.Warning ? EventType.Warning : EventType.Normal, e.Reason, EventAction, e.Message);
            }

            _metrics.Published(pass.Owner.Key, output.Status, output.Events, input.Now);
        }
        else if (report.StatusRefused && output.StatusNeeds is not null)
        {
            // Until status names it stable a release is judged and can be taken back; but one that may have been taken is not gone back on.
            memory.IfPromoted = (output.Memory, output.Events);
        }
        else if (report.StatusRefused)
        {
            // What was seen stays known, or a breach would be counted from the start again for as long as no status is taken. That nothing
            // rises meanwhile is held by the order of writes.
            memory.Engine = output.Memory;
            memory.KeepUntold(output.Events);
        }

        if (report.RecordFailure is { } record) memory.Unmade = UnmadeRecord.After(memory.Unmade, input.Generation, Cut(record.Message), input.Now);
        else if (report.StatusStands && input.Unrecordable is null) memory.Unmade = null;
        // Until it is tried again passes decide without it, and say why.
        if (report.Unpromoted is { } lacks) memory.Unpromoted = (Cut(lacks), input.Now + UnreadPause);
        else if (memory.Unpromoted?.Until <= input.Now) memory.Unpromoted = null;
        var trouble = (report.Failure ?? memory.Unread)?.Message ?? report.Lack ?? report.Unadopted?.Message ?? memory.Unpromoted?.Text;
        memory.LastError = trouble is null ? null : ErrorText.Steady(memory.LastError, Cut(trouble));
        if (memory.Unread is { } unread && memory.IsNewError(unread.ToString())) LogUnread(_logger, pass.Owner.Key, unread.ToString());
        var before = memory.Unwritten;
        var unwritten = report.Unwritten.ToDictionary(static u => u.Key, u => ErrorText.Steady(before.GetValueOrDefault(u.Key), Cut(u.Value.Message)), StringComparer.Ordinal);
        // A pass that a conflict ended has tried nothing: what was refused before is.
        foreach (var (target, why) in report.Stale ? before : new Dictionary<string, string>()) unwritten.TryAdd(target, why);
        memory.Unwritten = unwritten;
        if (report.RecordFailure is not null && memory.Unmade is { Lasts: true })
        {
            // The next pass says it in its own words, and judges on.
            TellRefusal(pass, report.RecordFailure);
            memory.LastError = null;
            return ReconciliationResult<RagDeployment>.Success(FirstLagPause);
        }

        if (report.Unadopted is { } unadopted) TellRefusal(pass, unadopted);
        if (report.Failure is not null) return Refused(pass, report.Failure);
        if (report.Stale)
        {
            var message = report.Conflict?.Message ?? "the world changed meanwhile";
            return report.Conflict is { Reason: ApiReason.Conflict } conflict
                ? ReconciliationResult<RagDeployment>.Failure(message, conflict.ToException())
                : ReconciliationResult<RagDeployment>.Success(FirstLagPause);
        }

        return ReconciliationResult<RagDeployment>.Success(NextLook(memory, output, report));
    }

    private ReconciliationResult<RagDeployment> Refused(Pass pass, ApiResult failure)
    {
        TellRefusal(pass, failure);
        return Failed(failure);
    }

    // Refusals stay until somebody does something; lost connections and busy servers are no news to whoever looks after the object.
    private void TellRefusal(Pass pass, ApiResult failure)
    {
        var message = Cut(failure.Message);
        if (PassActor.IsRefusal(failure) && pass.Memory.IsNewError(message))
            _events.Publish(pass.Entity, EventType.Warning, "WriteRefused", EventAction, $"{failure.Call}: {message}");
    }

    private TimeSpan? NextLook(ObjectMemory memory, EngineOutput output, ActReport report)
    {
        TimeSpan? next = output.NextLook is { } at ? Later(at - _time.GetUtcNow()) : null;
        if (report.News || output.Externals.Any(e => !memory.ExternalAddresses.ContainsKey(e))) next = Sooner(next, FirstLagPause);
        // The event of an own write is what mostly comes next; where a watch is mute it does not.
        if (report.Waits || memory.Ledger.Lagging() is not null) next = Sooner(next, WaitPause);
        if (report.Withheld) next = Sooner(next, WithheldPause);
        if (memory.Unread is not null) next = Sooner(next, UnreadPause);
        if (memory.Unpromoted is { } held) next = Sooner(next, Later(held.Until - _time.GetUtcNow()));
        if (memory.Unmade is { Lasts: true } unmade) next = Sooner(next, Later(unmade.Until - _time.GetUtcNow()));
        if (output.Externals.Count > 0) next = Sooner(next, ExternalServices.Freshness);
        // No watch tells that the gateway took it, or that pods are there.
        if ((memory.RouteOutOfSight is not null || memory.Ledger.ReadsLive)
            && (string.Equals(output.Status.Phase, Phases.Progressing, StringComparison.Ordinal) || output.Status.Rollback is { VerifiedAt: null })) next = Sooner(next, WaitPause);
        if (memory.Taken.Count > 0 || memory.OwesLabels || _cluster.Routes.State == CacheState.KindMissing) next = Sooner(next, BlindSpotPause);
        return next;
    }

    private static TimeSpan Later(TimeSpan delay) => delay > TimeSpan.Zero ? delay : TimeSpan.Zero;

    private static TimeSpan Sooner(TimeSpan? one, TimeSpan other) => one is { } value && value < other ? value : other;

    private static ReconciliationResult<RagDeployment> Failed(ApiResult failure) =>
        ReconciliationResult<RagDeployment>.Failure(failure.Message, failure.ToException(), failure.RetryAfter);

    private static string Cut(string text) => text.Length <= MaxErrorLength ? text : text[..MaxErrorLength];

    [LoggerMessage(100, LogLevel.Information, "{Key}: {Reason}: {Message}")]
    private static partial void LogEvent(ILogger logger, NamespacedName key, string reason, string message);

    [LoggerMessage(101, LogLevel.Warning, "{Key} waits for a cache to show {What}")]
    private static partial void LogLags(ILogger logger, NamespacedName key, string what);

    [LoggerMessage(103, LogLevel.Warning, "{Key}: nothing rises, because something cannot be read: {Failure}")]
    private static partial void LogUnread(ILogger logger, NamespacedName key, string failure);
}
