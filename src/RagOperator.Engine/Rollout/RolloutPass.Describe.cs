using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Rollout;

// Labels, annotations and the like on what exists: they follow spec at once and start nothing.
internal sealed partial class RolloutPass
{
    private void PlanDescriptions()
    {
        // Two writes of one child in one pass: the second would be a conflict. One that is refused may wait for the very label that is missing.
        var written = _after.Select(w => WriteTargets.Of(Name, w)).OfType<string>().Where(t => !World.Unwritten.ContainsKey(t)).ToHashSet(StringComparer.Ordinal);
        var isRouteWritten = _after.Exists(static w => w is ApplyRoute);
        _after.AddRange(Children()
            .Where(c => c.View is { Undescribed: true, Owner: Ownership.Ours, Deleting: false } && !written.Contains($"{c.Kind} {c.View.Name}") && !(isRouteWritten && c.Kind == ChildKind.HttpRoute))
            .Where(c => !_after.Exists(w => w is DeleteChild d && d.Kind == c.Kind && Is(d.Target.Name, c.View.Name)))
            .Select(static c => new DescribeChild(c.Kind, c.View)));
    }
}
