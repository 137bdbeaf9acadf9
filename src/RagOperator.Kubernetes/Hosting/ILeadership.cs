namespace RagOperator.Kubernetes;

/// <summary>Whether this process may act. Controllers run only within a term.</summary>
public interface ILeadership
{
    /// <summary>Whether a term is on, at this moment.</summary>
    bool IsLeader { get; }

    /// <summary>Cancelled the moment the current term ends; already cancelled outside a term.</summary>
    CancellationToken TermToken { get; }

    /// <summary>Waits for the next term to begin; returns at once within one.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task WaitForLeadershipAsync(CancellationToken cancellationToken);
}

/// <summary>For one process alone: one term that never ends.</summary>
public sealed class AlwaysLeader : ILeadership
{
    /// <inheritdoc/>
    public bool IsLeader => true;

    /// <inheritdoc/>
    public CancellationToken TermToken => CancellationToken.None;

    /// <inheritdoc/>
    public Task WaitForLeadershipAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
