namespace RagOperator.TestBed;

/// <summary>What a command that ran to its end left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record CommandResult(int ExitCode, string Out, string Error)
{
    /// <summary>Whether it ended with 0.</summary>
    public bool Ok => ExitCode == 0;

    /// <summary>Itself if it ended with 0, an exception with its output otherwise.</summary>
    public CommandResult OrThrow() => Ok ? this : throw new InvalidOperationException($"exit code {ExitCode}: {Error.Trim()}\n{Out.Trim()}");
}
