namespace RagOperator.Kubernetes;

/// <summary>One event as it was handed over.</summary>
internal sealed record PendingEvent(
    string ApiVersion, string Kind, string Namespace, string Name, string Uid, string Type, string Reason, string Action, string Note, string? TraceId, DateTimeOffset Time);

/// <summary>An event that is on the server, and how often it happened since.</summary>
internal sealed class EventSeries(string ns, string name, DateTimeOffset time)
{
    public string Namespace => ns;

    public string Name => name;

    public int Count { get; set; } = 1;

    public DateTimeOffset Last { get; set; } = time;

    /// <summary>The count that the server knows of.</summary>
    public int WrittenCount { get; set; } = 1;

    public DateTimeOffset WrittenAt { get; set; } = time;
}

/// <summary>
/// Decides what becomes of an event: written, counted onto one that is there, or dropped. The rules are client-go's: from 10 different notes of
/// one reason in 10 minutes on they become one; equal ones become a series; of one object only so many are written. That number is
/// larger than client-go's 25 and one more each 5 minutes, which is made for components that only warn: an object whose events tell its story, one for each
/// transition, would fall silent in the middle of its second rollout within an hour. For one thread.
/// </summary>
internal sealed class EventCorrelator
{
    public const string CombinedPrefix = "(combined from similar events): ";

    private const int Capacity = 4096;
    private const double Burst = 60;
    private const int SimilarLimit = 10;

    private static readonly TimeSpan RefillEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SimilarWindow = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SeriesEndsAfter = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan SeriesWrittenEvery = TimeSpan.FromMinutes(1);

    private readonly LruMap<string, (double Tokens, DateTimeOffset At)> _buckets = new(Capacity);
    private readonly LruMap<(string Uid, string Type, string Reason, string Action), (HashSet<string> Notes, DateTimeOffset Since)> _similar = new(Capacity);
    private readonly LruMap<(string Uid, string Type, string Reason, string Action, string Note), EventSeries> _series = new(Capacity);

    /// <summary>What to do with an event.</summary>
    /// <param name="New">Write this event.</param>
    /// <param name="Repeated">Write this count, now.</param>
    public readonly record struct Verdict(PendingEvent? New, EventSeries? Repeated)
    {
        /// <summary>Nothing is to be written for it.</summary>
        public bool IsDropped => New is null && Repeated is null;
    }

    /// <summary>Judges an event. Null: the object has too many of them.</summary>
    public Verdict? Judge(PendingEvent e)
    {
        var group = (e.Uid, e.Type, e.Reason, e.Action);
        var note = e.Note;
        if (!_similar.TryGet(group, out var similar) || e.Time - similar.Since > SimilarWindow) similar = ([], e.Time);
        if (similar.Notes.Count >= SimilarLimit && !similar.Notes.Contains(note)) note = "";
        else similar.Notes.Add(note);
        _similar.Set(group, similar);

        if (!TakeToken(e)) return null;
        var key = (e.Uid, e.Type, e.Reason, e.Action, note);
        if (_series.TryGet(key, out var series) && e.Time - series.Last <= SeriesEndsAfter)
        {
            series.Count++;
            series.Last = e.Time;
            // The second is told at once, so that one sees that it goes on; further ones now and then.
            return new(null, series.Count == 2 || e.Time - series.WrittenAt >= SeriesWrittenEvery ? series : null);
        }

        var written = note.Length > 0 || e.Note.Length == 0 ? e : e with { Note = EventText.Cut(CombinedPrefix + e.Note, EventText.MaxNote) };
        _series.Set(key, new EventSeries(e.Namespace, EventText.Name(e.Name, e.Time), e.Time));
        return new(written, null);
    }

    /// <summary>Series whose count the server does not know yet, although it is time.</summary>
    public IReadOnlyList<EventSeries> Due(DateTimeOffset now) =>
        [.. _series.Entries.Select(static s => s.Value).Where(s => s.Count > s.WrittenCount && now - s.WrittenAt >= SeriesWrittenEvery)];

    private bool TakeToken(PendingEvent e)
    {
        var (tokens, at) = _buckets.TryGet(e.Uid, out var bucket) ? bucket : (Burst, e.Time);
        tokens = Math.Min(Burst, tokens + ((e.Time - at) / RefillEvery));
        var has = tokens >= 1;
        _buckets.Set(e.Uid, (has ? tokens - 1 : tokens, e.Time));
        return has;
    }
}
