namespace RagOperator.Demo;

/// <summary>One scene: what a user does, what is to be seen, and whether it was.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Title">A few words.</param>
/// <param name="Intro">One sentence: what the user does and what to watch.</param>
/// <param name="Expected">For the table at the end.</param>
/// <param name="File">What is applied, of samples/demo.</param>
/// <param name="PlayAsync">Plays it; returns what was seen.</param>
internal sealed record Act(int Number, string Title, string Intro, string Expected, string File, Func<Stage, Task<string>> PlayAsync);

/// <summary>What became of an act.</summary>
/// <param name="Act">Which.</param>
/// <param name="Seen">What was seen.</param>
/// <param name="Took">From the user's command to the end.</param>
/// <param name="Problems">What was not as expected; none: it is ok.</param>
internal sealed record ActResult(Act Act, string Seen, TimeSpan Took, IReadOnlyList<string> Problems);

/// <summary>An act cannot go on.</summary>
internal sealed class ActFailedException(string message) : Exception(message);
