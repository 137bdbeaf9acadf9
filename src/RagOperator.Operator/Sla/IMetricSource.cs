using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>Something that answers queries with one number each.</summary>
public interface IMetricSource
{
    /// <summary>Asks one query. Every failure of the source is an answer; only the caller's own cancellation throws.</summary>
    /// <param name="namespaceName">The namespace that asks.</param>
    /// <param name="query">The query, in the source's language.</param>
    /// <param name="at">The time that it is evaluated at.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    Task<MetricAnswer> QueryAsync(string namespaceName, string query, DateTimeOffset at, CancellationToken cancellationToken);
}
