namespace RagOperator.Operator.Controller;

/// <summary>A record (of a release or a policy) that the API server does not take, so that its spec cannot be followed.</summary>
/// <remarks>A pass that wants it ends there: what it saw of metrics and pods is not written. Until it is tried again the passes between judge by
/// the policy that counted so far, or a release in trouble would never be taken back.</remarks>
/// <param name="Generation">The generation of the spec.</param>
/// <param name="Times">How often in a row it was not taken.</param>
/// <param name="Message">The API server's words.</param>
/// <param name="Until">When it is tried again.</param>
internal sealed record UnmadeRecord(long Generation, int Times, string Message, DateTimeOffset Until)
{
    // Once is what happens to any request.
    private const int Patience = 2;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(15);

    /// <summary>Whether it has failed for longer than a request that happens to fail.</summary>
    public bool Lasts => Times >= Patience;

    /// <summary>One more failure.</summary>
    public static UnmadeRecord After(UnmadeRecord? before, long generation, string message, DateTimeOffset now) =>
        new(generation, before?.Generation == generation ? before.Times + 1 : 1, message, now + s_pause);

    /// <summary>The words, while it is not to be tried; else null.</summary>
    public string? Now(long generation, DateTimeOffset now) => Lasts && Generation == generation && now < Until ? Message : null;
}
