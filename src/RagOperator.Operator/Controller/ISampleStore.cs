using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>Where the controller leaves its questions to metric sources and finds the answers. Questions are asked elsewhere, at their own
/// pace: a slow source never delays a reconcile. Whoever answers wakes the object by <c>IReconcileTrigger&lt;RagDeployment&gt;</c>.</summary>
public interface ISampleStore
{
    /// <summary>The newest sample of each metric of an object, by metric name; empty where there is none. Does no I/O.</summary>
    /// <param name="uid">The object's uid.</param>
    IReadOnlyDictionary<string, MetricSample> Latest(string uid);

    /// <summary>Replaces what is wanted of an object's metric source. Called after every decision, also when nothing changed; does no I/O.</summary>
    /// <param name="uid">The object's uid.</param>
    /// <param name="key">The object, to be woken when an answer is in.</param>
    /// <param name="look">The questions; null: none, also when the object is gone.</param>
    void Want(string uid, NamespacedName key, SlaLook? look);
}
