namespace RagOperator.Engine.Contracts;

/// <summary>A question: does the program behind a Service listen on the port that requests come in by? Asked before its first requests, never afterwards.</summary>
/// <param name="Service">The Service whose ready addresses are asked.</param>
/// <param name="PortName">The name of its port: the addresses' own port of that name is asked.</param>
/// <param name="Compared">The Service that serves already, to compare with: where it refuses, too, something in between does; null where there is none.</param>
/// <param name="ComparedPortName">The name of that one's port.</param>
public sealed record PortLook(string Service, string PortName, string? Compared, string? ComparedPortName);

/// <summary>What asking for a connection came to.</summary>
public enum PortAnswerKind
{
    /// <summary>An address takes connections.</summary>
    Open,

    /// <summary>Every ready address refuses them.</summary>
    Refused,

    /// <summary>Nobody can tell: no answer in time, no way there, no right. Says nothing of the release.</summary>
    Unknown,

    /// <summary>The configuration says not to ask.</summary>
    Off,
}

/// <summary>The newest answer to a <see cref="PortLook"/>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Look">The question; null with <see cref="PortAnswerKind.Off"/>.</param>
/// <param name="Rounds">How many times in a row it was that, five seconds apart.</param>
/// <param name="Message">Why nobody can tell.</param>
public sealed record PortAnswer(PortAnswerKind Kind, PortLook? Look = null, int Rounds = 1, string? Message = null)
{
    /// <summary>From one refusal to the next question. Other answers stand for as long as they are wanted.</summary>
    public static TimeSpan Distance { get; } = TimeSpan.FromSeconds(5);
}
