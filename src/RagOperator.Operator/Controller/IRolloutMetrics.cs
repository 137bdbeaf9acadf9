using RagOperator.Abstractions;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>Keeps the metrics about rollouts. Never throws, does no I/O.</summary>
public interface IRolloutMetrics
{
    /// <summary>A decision was made and, where it was due, its status is persisted and its writes were accepted.</summary>
    /// <param name="key">The object.</param>
    /// <param name="status">Its status, with values that were not worth a write.</param>
    /// <param name="events">What happened in this pass.</param>
    /// <param name="now">The time.</param>
    void Published(NamespacedName key, RagDeploymentStatus status, IReadOnlyList<EngineEvent> events, DateTimeOffset now);

    /// <summary>The route accepted weight 0 for a release that was taken back; called once for each rollback.</summary>
    /// <param name="key">The object.</param>
    /// <param name="reaction">From the time of the deciding sample (or of the decision, where no sample decided) to the answer of the API
    /// server.</param>
    void RolledBack(NamespacedName key, TimeSpan reaction);

    /// <summary>The object is gone: its series go too.</summary>
    /// <param name="key">The object.</param>
    void Forget(NamespacedName key);
}
