using System.Runtime.CompilerServices;
using System.Text.Json;

namespace RagOperator.TestBed.Faults;

/// <summary>One request of the operator, as the proxy saw it come and go.</summary>
public sealed class Deed
{
    /// <summary>Its order among all that began and ended; later is greater.</summary>
    public required int Began { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What it is.</summary>
    public required ApiCall Call { get; init; }

    /// <summary>Its key with its count since the proxy was armed: <c>patch httproutes assistant #2</c>; empty before.</summary>
    public required string Place { get; init; }

    /// <summary>Its body.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Which life of the operator it is from, from 1.</summary>
    public required int Life { get; init; }

    /// <summary>When the server had answered, in the same order as <see cref="Began"/>; 0 while it has not, and where it never got there.</summary>
    public int Ended { get; internal set; }

    /// <summary>The server's status code; 0 where it never got there.</summary>
    public int Status { get; internal set; }

    /// <summary>What was done to it, or null.</summary>
    public string? Fault { get; internal set; }

    /// <summary>The object that the server answered with.</summary>
    public JsonElement Answer { get; internal set; }

    /// <summary>What a check found right before it was forwarded.</summary>
    public object? Witness { get; internal set; }

    /// <summary>Whether the server accepted it.</summary>
    public bool Accepted => Status is >= 200 and < 300;

    /// <inheritdoc/>
    public override string ToString() => $"{At:HH:mm:ss.fff} life {Life} {(Place.Length > 0 ? Place : Call.Key)} -> {Status}{(Fault is null ? "" : $" [{Fault}]")}";
}

/// <summary>All writes of an operator, in order: what the invariants are about.</summary>
/// <param name="time">The time.</param>
/// <param name="beside">The trajectory of another operator, where the order of both is to be told.</param>
public sealed class Trajectory(TimeProvider time, Trajectory? beside = null)
{
    private readonly StrongBox<int> _order = beside?._order ?? new();
    private readonly Lock _lock = new();
    private readonly List<Deed> _deeds = [];
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _reads = new(StringComparer.Ordinal);
    private int _underWay;
    private long _lastWrite = time.GetTimestamp();

    /// <summary>Whether places are counted yet.</summary>
    public bool Armed { get; private set; }

    /// <summary>For how long no write that counts has been under way, until its answer was passed on: a busy server takes seconds for some.</summary>
    public TimeSpan QuietFor
    {
        get
        {
            lock (_lock)
                return _underWay > 0 ? TimeSpan.Zero : time.GetElapsedTime(_lastWrite);
        }
    }

    /// <summary>All of them, in the order in which they came.</summary>
    public IReadOnlyList<Deed> All
    {
        get
        {
            lock (_lock)
                return [.. _deeds];
        }
    }

    /// <summary>Those since it was armed that belong to the trajectory, in the order in which they came.</summary>
    public IReadOnlyList<Deed> Writes => [.. All.Where(deed => deed.Call.Counts && deed.Place.Length > 0)];

    /// <summary>Reads and dry runs of resources by key, since it was armed: how many there were.</summary>
    public IReadOnlyDictionary<string, int> Reads
    {
        get
        {
            lock (_lock)
                return _reads.ToDictionary(static key => key, key => _counts.GetValueOrDefault(key), StringComparer.Ordinal);
        }
    }

    /// <summary>Lines of watches by kind, since it was armed.</summary>
    public IReadOnlyDictionary<string, int> Lines
    {
        get
        {
            lock (_lock)
                return _counts.Where(c => c.Key.StartsWith("watch ", StringComparison.Ordinal)).ToDictionary(c => c.Key["watch ".Length..], c => c.Value, StringComparer.Ordinal);
        }
    }

    /// <summary>Drops what has been judged, so that hours of writes fit into memory.</summary>
    public void Drop(Predicate<Deed> judged)
    {
        lock (_lock)
            _deeds.RemoveAll(judged);
    }

    /// <summary>From now on places are counted.</summary>
    public void Arm()
    {
        lock (_lock)
        {
            Armed = true;
            _counts.Clear();
            _reads.Clear();
        }
    }

    internal Deed Begin(ApiCall call, ReadOnlyMemory<byte> body, int life)
    {
        lock (_lock)
        {
            var deed = new Deed { Began = Interlocked.Increment(ref _order.Value), At = time.GetUtcNow(), Call = call, Place = Armed ? Count(call.Key) : "", Body = body, Life = life };
            if (call.IsWrite)
                _deeds.Add(deed);
            if (call is { IsRead: true, Resource.Length: > 0 })
                _reads.Add(call.Key);
            if (call.Counts)
                _underWay++;
            return deed;
        }
    }

    /// <summary>Nothing more will happen with it: it was answered, or never will be.</summary>
    internal void Leave(Deed deed)
    {
        if (!deed.Call.Counts)
            return;
        lock (_lock)
        {
            _underWay--;
            _lastWrite = time.GetTimestamp();
        }
    }

    internal void End(Deed deed, int status, ReadOnlyMemory<byte> answer)
    {
        lock (_lock)
        {
            deed.Ended = Interlocked.Increment(ref _order.Value);
            deed.Status = status;
            if (deed.Call.IsWrite)
                deed.Answer = Parse(answer);
        }
    }

    /// <summary>The place of the next line of a watch.</summary>
    internal string CountLine(string kind)
    {
        lock (_lock)
            return Armed ? Count($"watch {kind}") : "";
    }

    private string Count(string key)
    {
        var count = _counts.GetValueOrDefault(key) + 1;
        _counts[key] = count;
        return $"{key} #{count}";
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return json.Length == 0 ? default : JsonElement.Parse(json.Span);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
