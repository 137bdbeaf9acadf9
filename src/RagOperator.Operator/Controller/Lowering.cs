using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Controller;

/// <summary>Whether a write that lowers still only lowers, now that somebody changed what it was decided from.</summary>
internal static class Lowering
{
    /// <summary>How long what comes before it may take: lowering needs no journal, so it does not wait for a server that asks to slow down or does not answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Of flags: none goes on that is off now.</summary>
    /// <param name="wanted">The flags to be written.</param>
    /// <param name="live">The flags as they are; null where the files cannot be read: then nothing may be on.</param>
    public static bool Holds(IReadOnlyDictionary<string, bool> wanted, IReadOnlyDictionary<string, bool>? live) =>
        wanted.All(f => !f.Value || (live is not null && live.TryGetValue(f.Key, out var on) && on));

    /// <summary>Of a route: no Service gets more than it has now in any rule, but for those that the decision gave more to.</summary>
    /// <param name="wanted">The backends to be written.</param>
    /// <param name="decided">The route that it was decided from.</param>
    /// <param name="live">The route as it is.</param>
    public static bool Holds(IReadOnlyList<Backend> wanted, RouteView decided, RouteView live) =>
        wanted.All(w => w.Weight <= live.LeastOf(w.Service) || w.Weight > decided.LeastOf(w.Service));
}
