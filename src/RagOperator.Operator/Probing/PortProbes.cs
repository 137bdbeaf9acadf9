using System.Collections.Concurrent;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Probing;

/// <summary>Asks pods for connections when a decision wants to know whether their program listens.</summary>
/// <remarks>
/// Guarantees: nothing is asked that is not wanted; a connection is closed as soon as it is made, and nothing is sent; of one object a few addresses are
/// asked at once, each for a second at most; answers to another question than the one that is wanted now are dropped.
/// </remarks>
internal sealed class PortProbes(Connect connect, Action<NamespacedName> news, TimeProvider time, ILogger<PortProbes> logger) : IPortProbes, IDisposable
{
    private readonly ConcurrentDictionary<string, ObjectProbe> _objects = new(StringComparer.Ordinal);
    private readonly Connector _connector = new(connect, time);

    /// <inheritdoc/>
    public PortAnswer? Latest(string uid) => _objects.GetValueOrDefault(uid)?.Answer;

    /// <inheritdoc/>
    public void Want(string uid, NamespacedName key, PortTargets? targets)
    {
        var known = _objects.GetValueOrDefault(uid);
        if (targets is not null && known?.Look == targets.Look)
        {
            known.Ask(targets);
            return;
        }

        if (known is not null && _objects.TryRemove(uid, out var gone)) gone.Dispose();
        if (targets is null) return;
        // What asks outlives the reconcile that wanted it: its trace id must not stick to it.
        using var _ = ExecutionContext.SuppressFlow();
        _objects[uid] = new ObjectProbe(targets, _connector, time, () => news(key), logger);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (uid, _) in _objects)
        {
            if (_objects.TryRemove(uid, out var probe)) probe.Dispose();
        }
    }
}
