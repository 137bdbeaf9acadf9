using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Contracts;

/// <summary>Which way a write moves the release: lowering needs no journal, raising does.</summary>
public enum Direction
{
    /// <summary>Neither gives traffic, flags or pods to a new release nor takes them.</summary>
    Neutral,

    /// <summary>Takes weight or flags away. Allowed also when the status could not be written.</summary>
    Lowers,

    /// <summary>Gives weight, flags or pods. Only after the status that decided it was written.</summary>
    Raises,
}

/// <summary>One write that is wanted. Writes are carried out in order; each carries the uid and resource version that it was decided from.</summary>
/// <param name="Way">Which way it moves the release.</param>
public abstract record Write(Direction Way);

/// <summary>A dry run of all children that the release would get, and of the route that spec wants: changes nothing, its answer comes back as <see cref="PreflightView"/>.</summary>
/// <param name="Candidate">The release.</param>
/// <param name="Route">What tells the user's part of the route from others: see <see cref="PreflightView.Route"/>.</param>
public sealed record Preflight(ReleaseRecord Candidate, string Route) : Write(Direction.Neutral);

/// <summary>Creates a release's ControllerRevision, by POST, before status names it.</summary>
/// <param name="Record">The preimage.</param>
public sealed record CreateRelease(ReleaseRecord Record) : Write(Direction.Neutral);

/// <summary>Creates the ControllerRevision of an accepted policy.</summary>
/// <param name="Name">Its name.</param>
public sealed record CreatePolicy(string Name) : Write(Direction.Neutral);

/// <summary>Sets the marks of a release's ControllerRevision, both of them.</summary>
/// <param name="Target">The ControllerRevision.</param>
/// <param name="Failed">Why it failed; null takes the mark away.</param>
/// <param name="Struck">Flags struck from it.</param>
public sealed record MarkRelease(ReleaseView Target, string? Failed, IReadOnlyList<string> Struck) : Write(Direction.Neutral);

/// <summary>Makes this object the controller of a child without owner.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Target">The child.</param>
public sealed record Adopt(ChildKind Kind, ChildView Target) : Write(Direction.Neutral);

/// <summary>Gives a child the labels and annotations that spec wants on it, and a Deployment its minReadySeconds: nothing that a pod is started for.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Target">The child.</param>
public sealed record DescribeChild(ChildKind Kind, ChildView Target) : Write(Direction.Neutral);

/// <summary>Deletes a child, with uid and resource version as preconditions.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Target">The child.</param>
public sealed record DeleteChild(ChildKind Kind, ChildView Target) : Write(Direction.Neutral);

/// <summary>Creates the Service of a component revision, by POST.</summary>
/// <param name="Release">A release that names the revision.</param>
/// <param name="Component">The component's name.</param>
public sealed record CreateRevisionService(ReleaseRecord Release, string Component) : Write(Direction.Raises);

/// <summary>Creates the Deployment of a component revision, by POST.</summary>
/// <param name="Release">A release that names the revision.</param>
/// <param name="Component">The component's name.</param>
/// <param name="Replicas">Pods wanted.</param>
public sealed record CreateDeployment(ReleaseRecord Release, string Component, int Replicas) : Write(Direction.Raises);

/// <summary>Changes a Deployment's number of pods and nothing else.</summary>
/// <param name="Target">The Deployment.</param>
/// <param name="Replicas">Pods wanted.</param>
public sealed record ScaleDeployment(DeploymentView Target, int Replicas) : Write(Direction.Neutral);

/// <summary>Writes the Service <c>&lt;name&gt;</c> (component null) or <c>&lt;name&gt;-&lt;component&gt;</c>, so that it selects stable.</summary>
/// <param name="Release">The stable release.</param>
/// <param name="Component">The component's name; null for the entry's short name.</param>
/// <param name="Current">The Service as it is; null: it is created by POST.</param>
public sealed record ApplyStableService(ReleaseRecord Release, string? Component, ServiceView? Current) : Write(Direction.Raises);

/// <summary>Writes a component revision's flags ConfigMap.</summary>
/// <param name="Component">The component's name.</param>
/// <param name="Revision">The component revision's name.</param>
/// <param name="Flags">Each flag and whether it is on.</param>
/// <param name="Current">The ConfigMap as it is; null: it is created by POST.</param>
/// <param name="Way">Lowers where no flag goes on by it.</param>
public sealed record ApplyFlags(string Component, string Revision, IReadOnlyDictionary<string, bool> Flags, FlagsView? Current, Direction Way) : Write(Way);

/// <summary>Writes the HTTPRoute with these backends in every rule.</summary>
/// <param name="Backends">Backends; the weights sum to 100.</param>
/// <param name="Port">The entry's Service port by backend Service name.</param>
/// <param name="Current">The route as it is; null: it is created by POST.</param>
/// <param name="UnrecordedRollback">Where status could not be written: the annotation <c>release cause</c> goes into the same write. Otherwise
/// the annotation is left out, which takes an old one away.</param>
/// <param name="Way">Lowers where the newer release gets no more than it has.</param>
/// <param name="Needs">What must be there at the very moment of the write: of the newer release where it gets more, a ready address of stable where
/// that gets requests back; null otherwise.</param>
public sealed record ApplyRoute(
    IReadOnlyList<Backend> Backends, IReadOnlyDictionary<string, int> Port, RouteView? Current, string? UnrecordedRollback, Direction Way, RaiseNeeds? Needs = null) : Write(Way);

/// <summary>What a release must have to be given more weight, be it that of another one that is taken back. A cache may be old without knowing it (a
/// watch that went mute, or may not be opened any more), so it is read live right before the write, or before the release is taken back for what it
/// lacks.</summary>
/// <param name="Service">The entry's Service: it has a ready address.</param>
/// <param name="Pods">Available pods by Deployment, at least.</param>
public sealed record RaiseNeeds(string Service, IReadOnlyDictionary<string, int> Pods);

/// <summary>Removes the request annotation, if it still has this value.</summary>
/// <param name="Request">The value.</param>
public sealed record RemoveRequest(string Request) : Write(Direction.Neutral);

/// <summary>Kinds of children.</summary>
public enum ChildKind
{
    /// <summary>A ControllerRevision.</summary>
    ControllerRevision,

    /// <summary>A Deployment.</summary>
    Deployment,

    /// <summary>A Service.</summary>
    Service,

    /// <summary>A ConfigMap.</summary>
    ConfigMap,

    /// <summary>The HTTPRoute.</summary>
    HttpRoute,
}
