namespace RagOperator.TestBed.Faults;

/// <summary>One thing that goes wrong, and where: data, so that a plan that found something can be kept as a file.</summary>
public sealed record Fault
{
    /// <summary>The request or the watch line: <c>patch httproutes assistant #2</c> (the second such write since the proxy was armed),
    /// <c>watch deployments #7</c> (the seventh line of any watch of that kind, bookmarks not counted).</summary>
    public required string Place { get; init; }

    /// <summary>What happens there: one of <see cref="FaultAction"/>.</summary>
    public required string Action { get; init; }

    /// <summary>How many requests it hits, this one and the next ones with the same key.</summary>
    public int Times { get; init; } = 1;

    /// <inheritdoc/>
    public override string ToString() => $"{Action} at {Place}{(Times == 1 ? "" : $" ({Times} times)")}";
}

/// <summary>What can go wrong.</summary>
public static class FaultAction
{
    /// <summary>The operator dies before the request gets to the server.</summary>
    public const string KillBefore = "kill-before";

    /// <summary>The server has carried it out; the operator dies without the answer.</summary>
    public const string KillLost = "kill-lost";

    /// <summary>The operator dies when it has the answer.</summary>
    public const string KillAfter = "kill-after";

    /// <summary>The operator dies when it has the answer, and its next life meets a server that has just begun, too: for the first five seconds it
    /// says that it serves no HTTPRoutes, as one does that has not read the definition yet.</summary>
    public const string KillBoth = "kill-both";

    /// <summary>The connection is reset before the request gets to the server.</summary>
    public const string ResetBefore = "reset-before";

    /// <summary>The server has carried it out; the connection is reset instead of an answer.</summary>
    public const string ResetAfter = "reset-after";

    /// <summary>This line and those after it come three seconds late.</summary>
    public const string Hold = "hold";

    /// <summary>The watch ends before this line.</summary>
    public const string Cut = "cut";

    /// <summary>The connection breaks in the middle of this line.</summary>
    public const string CutMidLine = "cut-mid-line";

    /// <summary>This line comes twice, and the one before it once more.</summary>
    public const string Repeat = "repeat";

    /// <summary>This line and the next two never come; then the server says that the history is gone.</summary>
    public const string Skip = "skip";

    /// <summary>The watch goes mute for ten seconds, then the connection breaks.</summary>
    public const string Stall = "stall";

    /// <summary>Instead of this line: the server says in the stream that the history is gone.</summary>
    public const string GoneEvent = "410-event";

    /// <summary>The watch ends before this line, and the next one is refused with 410.</summary>
    public const string GoneAnswer = "410-answer";

    /// <summary>The history is gone, and the next list is answered with the first one that was ever seen.</summary>
    public const string OldList = "old-list";

    /// <summary>The server knows the kind, and says that there is no such object.</summary>
    public const string NotFound = "404-object";

    /// <summary>The watch ends before this line, and the next one may not be opened: <c>open-403</c>, <c>open-reset</c>.</summary>
    public const string Open = "open-";

    /// <summary>The three deaths of the operator alone.</summary>
    public static IReadOnlyList<string> Kills { get; } = [KillBefore, KillLost, KillAfter];

    /// <summary>Answers of a server to a write, by status code, and resets. A 404 without an object's name says that the kind is not served.</summary>
    public static IReadOnlyList<string> Answers { get; } = ["409", "410", "429", "500", "503", "403", "404", NotFound, "422", ResetBefore, ResetAfter];

    /// <summary>Answers of a server to a read or a dry run. That an object is not there, or in conflict, is what it never says wrongly; that a kind is
    /// not served is said by one that has just begun.</summary>
    public static IReadOnlyList<string> ReadAnswers { get; } = ["410", "429", "500", "503", "403", "404", ResetBefore, ResetAfter];

    /// <summary>What can happen to a watch.</summary>
    public static IReadOnlyList<string> Watches { get; } = [Hold, Cut, CutMidLine, Repeat, Skip, Stall, GoneEvent, GoneAnswer, OldList];

    /// <summary>What can happen where a watch is to be opened again.</summary>
    public static IReadOnlyList<string> Openings { get; } = [$"{Open}403", $"{Open}404", $"{Open}429", $"{Open}500", $"{Open}503", $"{Open}reset"];
}
