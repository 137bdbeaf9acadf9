using System.Net;
using RagOperator.Abstractions;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>Where the controller leaves the connections that it wants to be asked for and finds the answers. They are asked for elsewhere: a slow address
/// never delays a reconcile. Whoever answers wakes the object by <c>IReconcileTrigger&lt;RagDeployment&gt;</c>.</summary>
public interface IPortProbes
{
    /// <summary>The newest answer about an object; null where there is none. Does no I/O.</summary>
    /// <param name="uid">The object's uid.</param>
    PortAnswer? Latest(string uid);

    /// <summary>Replaces what is wanted to be asked for. Called after every decision, also when nothing changed; does no I/O.</summary>
    /// <param name="uid">The object's uid.</param>
    /// <param name="key">The object, to be woken when there is news.</param>
    /// <param name="targets">What to ask; null: nothing, also when the object is gone.</param>
    void Want(string uid, NamespacedName key, PortTargets? targets);
}

/// <summary>A question with the addresses to ask.</summary>
/// <param name="Look">The question.</param>
/// <param name="Addresses">The ready addresses of its Service.</param>
/// <param name="Compared">Those of the Service that it is compared with.</param>
public sealed record PortTargets(PortLook Look, IReadOnlyList<IPEndPoint> Addresses, IReadOnlyList<IPEndPoint> Compared);

/// <summary>Nothing is asked, and nothing waits for it.</summary>
internal sealed class NoPortProbes : IPortProbes
{
    private static readonly PortAnswer s_off = new(PortAnswerKind.Off);

    public PortAnswer? Latest(string uid) => s_off;

    public void Want(string uid, NamespacedName key, PortTargets? targets)
    {
    }
}
