using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>One process of an <see cref="ElectionWorld"/>: the real rules and the real term, on a clock of its own; no timer of the term ever fires.</summary>
internal sealed class ElectionNode
{
    public const double SlowestRate = 0.9;

    private readonly ElectionWorld _world;
    private readonly Random _random;
    private readonly LeaderElectionConfig _config;
    private readonly LeaseMachine _machine;
    private readonly Queue<Action> _news = new();
    private readonly double _rate;
    private long _frozenUntil;
    private long _cutOffUntil;
    private long _watchReady;
    private bool _watchUp;
    private bool _asking;
    private long _wake;
    private bool _wasLeader;
    private long _ledSince;

    public ElectionNode(ElectionWorld world, Random random, string name, LeaderElectionConfig config)
    {
        (_world, _random, Name, _config) = (world, random, name, config);
        _rate = SlowestRate + (_random.NextDouble() * 0.2);
        var origin = ElectionWorld.Seconds(_random.NextDouble() * 1e6);
        Term = new LeaderTerm(new SkewedClock(() => origin + (long)(_rate * world.Now)));
        _machine = new LeaseMachine(config, new Jitter(_random.Next()));
    }

    public string Name { get; }

    public LeaderTerm Term { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>Since when nothing has been wrong with it, its watch included; null while something is.</summary>
    public long? HealthySince => _frozenUntil > _world.Now || _cutOffUntil > _world.Now || !_watchUp ? null
        // What was lost meanwhile has to time out, and a pause follows it.
        : Math.Max(Math.Max(_frozenUntil, _cutOffUntil), _watchReady)
            + (long)((_config.RequestTimeout + (2.2 * _config.RetryPeriod)).Ticks / SlowestRate);

    private bool IsCutOff => _cutOffUntil > _world.Now;

    public void Start()
    {
        _world.Note($"{Name} starts, rate {_rate:0.000}, lease {_config.LeaseDuration.TotalSeconds} s");
        OpenWatch();
        _world.At(_world.Now, Step);
    }

    public void Freeze(long length)
    {
        _world.Note($"{Name} is stopped for {length / (double)TimeSpan.TicksPerSecond:0.0} s");
        _frozenUntil = Math.Max(_frozenUntil, _world.Now + length);
    }

    public void CutOff(long length)
    {
        _world.Note($"{Name} is cut off for {length / (double)TimeSpan.TicksPerSecond:0.0} s");
        _cutOffUntil = Math.Max(_cutOffUntil, _world.Now + length);
        BreakWatch();
    }

    public void BreakWatch()
    {
        if (!_watchUp) return;
        _watchUp = false;
        Awake(() => _machine.Watching(false));
        _world.At(_world.Now + Delay(), OpenWatch);
    }

    public void Kill()
    {
        _world.Note($"{Name} is killed");
        End();
    }

    /// <summary>As LeaderElector does it: the term first, then the Lease.</summary>
    public void Stop()
    {
        if (_frozenUntil > _world.Now || IsCutOff || _asking)
        {
            Kill();
            return;
        }

        _world.Note($"{Name} stops");
        var gives = !Term.IsOver && _machine.MayBeHeld;
        Term.End();
        End();
        if (gives) _world.At(_world.Now + Delay(), Release);

        void Release()
        {
            if (_world.Read() is { } lease && lease.Holder == _config.Identity)
                _world.Write(LeaseAction.Update, lease.Released(DateTimeOffset.UnixEpoch));
        }
    }

    /// <summary>The server tells its watchers.</summary>
    public void Show(LeaseRecord lease)
    {
        if (!_watchUp) return;
        _watchReady = Math.Max(_watchReady, _world.Now) + Delay() / 10;
        _world.At(_watchReady, () =>
        {
            if (!_watchUp || IsCutOff) return;
            Awake(() => _machine.Watched(lease, Term.Now));
            // Now and then one comes again, much later.
            if (_random.Next(20) == 0) _world.At(_world.Now + ElectionWorld.Seconds(_random.NextDouble() * 5), () => Awake(() => _machine.Watched(lease, Term.Now)));
        });
    }

    private void OpenWatch()
    {
        if (!IsAlive) return;
        if (IsCutOff)
        {
            _world.At(_cutOffUntil + Delay(), OpenWatch);
            return;
        }

        _watchUp = true;
        _watchReady = _world.Now;
        Awake(() => _machine.Watching(true));
        if (_world.Read() is { } lease) Show(lease);
    }

    /// <summary>Runs in this process: not while it is stopped, and never when it is dead.</summary>
    private void Awake(Action what)
    {
        if (!IsAlive) return;
        if (_frozenUntil > _world.Now)
        {
            _world.At(_frozenUntil, () => Awake(what));
            return;
        }

        // As LeaderElector: news that comes during a request is looked at after its answer.
        _news.Enqueue(what);
        if (!_asking) Step();
    }

    private void Step()
    {
        if (!IsAlive || _asking) return;
        if (_frozenUntil > _world.Now)
        {
            _world.At(_frozenUntil, Step);
            return;
        }

        while (_news.TryDequeue(out var news)) news();
        var step = _machine.Next(Term.Now);
        switch (step.Action)
        {
            case LeaseAction.Wait:
                var wake = _world.Now + (long)((step.Until - Term.Now).Ticks / _rate) + 1;
                _wake = wake;
                _world.At(wake, () =>
                {
                    if (_wake == wake) Step();
                });
                break;
            case LeaseAction.Stop:
                Term.End();
                _world.Note($"{Name} lost its term: {_machine.Lost}");
                if (HealthySince is { } healthy && healthy < _ledSince) _world.Violated($"{Name} lost its term without need ({_machine.Lost})");
                End();
                break;
            default:
                Ask(step.Action);
                break;
        }
    }

    private void Ask(LeaseAction action)
    {
        _asking = true;
        _wake = 0;
        _machine.Sending(action, Term.Now);
        var body = action switch
        {
            LeaseAction.Create => LeaseRecord.New(_config, Stamp()),
            LeaseAction.Update => _machine.Lease!.Held(_config, Stamp()),
            _ => null,
        };
        var answered = false;
        // Before the server sees it: a moment; seldom long after whoever sent it has given it up, or never.
        var arrives = _random.Next(50) == 0 && HealthySince is null ? ElectionWorld.Seconds(_random.NextDouble() * 30) : Delay();
        var wasCutOff = IsCutOff;
        if (!wasCutOff || _random.Next(2) == 0) _world.At(_world.Now + arrives, Arrive);
        _world.At(_world.Now + (long)(_config.RequestTimeout.Ticks / _rate), () => Answer(() => _machine.Failed(refused: false, Term.Now)));

        void Arrive()
        {
            var (reason, lease) = action == LeaseAction.Read ? (ApiReason.None, _world.Read()) : _world.Write(action, body!);
            if (!wasCutOff) _world.At(_world.Now + Delay(), () =>
            {
                if (!IsCutOff) Answer(() => Take(action, reason, lease));
            });
        }

        void Answer(Action take)
        {
            if (!IsAlive || answered) return;
            if (_frozenUntil > _world.Now)
            {
                _world.At(_frozenUntil, () => Answer(take));
                return;
            }

            answered = true;
            _asking = false;
            take();
            Step();
        }
    }

    private void Take(LeaseAction action, ApiReason reason, LeaseRecord? lease)
    {
        if (action == LeaseAction.Read) _machine.Found(lease, Term.Now);
        else if (reason == ApiReason.None) Held(lease!);
        else if (reason == ApiReason.NotFound) _machine.Vanished(Term.Now);
        else _machine.Conflicted(Term.Now);
    }

    private void Held(LeaseRecord lease)
    {
        _machine.Held(lease, Term.Now);
        if (!_machine.Leads) return;
        if (!Term.Extend(_machine.TermEndsAt))
        {
            _machine.TooLate(_wasLeader);
            return;
        }

        if (_wasLeader) return;
        _wasLeader = true;
        _ledSince = _world.Now;
        _world.Terms++;
        _world.Note($"{Name} leads");
    }

    private void End()
    {
        IsAlive = false;
        _world.At(_world.Now + ElectionWorld.Seconds(0.5 + (_random.NextDouble() * 10)), _world.Bear);
    }

    // Wall clocks disagree wildly; nothing may depend on them.
    private DateTimeOffset Stamp() => DateTimeOffset.UnixEpoch.AddDays(Name[1] * 10).AddTicks(_world.Now);

    private long Delay() => ElectionWorld.Seconds(0.001 + (Math.Pow(_random.NextDouble(), 3) * 0.1));

    private sealed class SkewedClock(Func<long> ticks) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();
    }

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
