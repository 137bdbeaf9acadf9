using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Tells people what happened to an object, as Kubernetes events.</summary>
public interface IEventRecorder
{
    /// <summary>
    /// Hands an event over and returns at once; it is written in the background, in order. Never throws. An event is dropped when the buffer
    /// is full or an object has too many of them.
    /// </summary>
    /// <param name="entity">The object that it is about.</param>
    /// <param name="type">Normal or Warning.</param>
    /// <param name="reason">One CamelCase word for machines, at most 128 characters.</param>
    /// <param name="action">What was done, one CamelCase word, at most 128 characters.</param>
    /// <param name="note">For people; cut at 1024 characters. No secrets.</param>
    /// <param name="traceId">The pass that caused it; that of the current <see cref="ReconcileContext"/> by default.</param>
    void Publish(
        IKubernetesObject<V1ObjectMeta> entity, EventType type, string reason, string action, string note, string? traceId = null);
}

/// <summary>How much an event matters.</summary>
public enum EventType
{
    /// <summary>As it should be.</summary>
    Normal,

    /// <summary>Somebody may have to look.</summary>
    Warning,
}
