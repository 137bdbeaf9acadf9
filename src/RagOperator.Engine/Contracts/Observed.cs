using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Contracts;

/// <summary>The world of one RagDeployment, as the caches and the last answers show it.</summary>
public sealed record Observed
{
    /// <summary>The releases whose preimages are kept in ControllerRevisions.</summary>
    public IReadOnlyList<ReleaseView> Releases { get; init; } = [];

    /// <summary>The policies that are kept in ControllerRevisions.</summary>
    public IReadOnlyList<PolicyView> Policies { get; init; } = [];

    /// <summary>Deployments with our name label, by name.</summary>
    public IReadOnlyDictionary<string, DeploymentView> Deployments { get; init; } = new Dictionary<string, DeploymentView>();

    /// <summary>Services with our name label, by name.</summary>
    public IReadOnlyDictionary<string, ServiceView> Services { get; init; } = new Dictionary<string, ServiceView>();

    /// <summary>ConfigMaps with our name label, by name.</summary>
    public IReadOnlyDictionary<string, FlagsView> FlagMaps { get; init; } = new Dictionary<string, FlagsView>();

    /// <summary>Ready addresses behind our Services, by Service name.</summary>
    public IReadOnlyDictionary<string, int> ReadyAddresses { get; init; } = new Dictionary<string, int>();

    /// <summary>Ready addresses behind the external Services that were asked for, by Service name; a missing key is not known yet.</summary>
    public IReadOnlyDictionary<string, int> ExternalAddresses { get; init; } = new Dictionary<string, int>();

    /// <summary>Whether the API server knows HTTPRoute.</summary>
    public bool RouteKindKnown { get; init; } = true;

    /// <summary>The HTTPRoute of our name, or null.</summary>
    public RouteView? Route { get; init; }

    /// <summary>The newest answer of a dry run, or null.</summary>
    public PreflightView? Preflight { get; init; }

    /// <summary>The newest sample of each metric, by metric name.</summary>
    public IReadOnlyDictionary<string, MetricSample> Samples { get; init; } = new Dictionary<string, MetricSample>();

    /// <summary>The newest answer to the connections that were asked for; null where there is none yet.</summary>
    public PortAnswer? Port { get; init; }

    /// <summary>Why the last pass's writes failed, for people; null when they did not.</summary>
    public string? LastError { get; init; }

    /// <summary>Children whose writes were not taken in the last pass, by <see cref="WriteTargets"/>, and why, for people.</summary>
    public IReadOnlyDictionary<string, string> Unwritten { get; init; } = new Dictionary<string, string>();

    /// <summary>Names that somebody else holds, found when creating: <c>Service assistant-api-x</c> and who holds it.</summary>
    public IReadOnlyDictionary<string, string> Taken { get; init; } = new Dictionary<string, string>();
}

/// <summary>Whose a child is.</summary>
public enum Ownership
{
    /// <summary>This object is its controller.</summary>
    Ours,

    /// <summary>It carries our labels and has no owner: left behind by <c>--cascade=orphan</c>.</summary>
    Orphan,

    /// <summary>An earlier object of the same name owns it: the garbage collector is about to take it.</summary>
    EarlierUid,

    /// <summary>Somebody else's.</summary>
    Foreign,
}

/// <summary>What every child tells.</summary>
public abstract record ChildView
{
    /// <summary>The child's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its uid, for preconditions.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Its resource version, for preconditions.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>Whose it is.</summary>
    public Ownership Owner { get; init; }

    /// <summary>Whether it is being deleted.</summary>
    public bool Deleting { get; init; }

    /// <summary>Whether it lacks labels, annotations or other things beside its content that spec wants on it, or has such that spec wants no longer.</summary>
    public bool Undescribed { get; init; }
}

/// <summary>A release's ControllerRevision.</summary>
public sealed record ReleaseView : ChildView
{
    /// <summary>The preimage.</summary>
    public required ReleaseRecord Record { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public string? Failed { get; init; }

    /// <summary>Flags struck from it.</summary>
    public IReadOnlyList<string> Struck { get; init; } = [];
}

/// <summary>A policy's ControllerRevision.</summary>
public sealed record PolicyView : ChildView
{
    /// <summary>The accepted spec that it keeps, read again; null where it cannot be read any more.</summary>
    public Api.Resolved.ResolvedSpec? Spec { get; init; }
}

/// <summary>A Deployment of a component revision.</summary>
public sealed record DeploymentView : ChildView
{
    /// <summary>The component's name, of the label.</summary>
    public string Component { get; init; } = "";

    /// <summary>The component revision's name, of the label.</summary>
    public string Revision { get; init; } = "";

    /// <summary>Pods wanted by its spec.</summary>
    public int Replicas { get; init; }

    /// <summary>Pods available, 0 while its newest generation is not observed.</summary>
    public int Available { get; init; }

    /// <summary>Whether pods cannot be scheduled or a quota is used up, and why; null otherwise.</summary>
    public string? CapacityProblem { get; init; }

    /// <summary>Whether a scheduling gate keeps pods from the scheduler, and what it says; null otherwise, or where others lack room.</summary>
    public string? GateProblem { get; init; }

    /// <summary>Whether a pod is not ready though it has its place, or no room would help it: then it is not room alone that is waited for.</summary>
    public bool HasPodsOnTheirOwn { get; init; }

    /// <summary>Why pods are not ready otherwise, for people; null where nothing is known.</summary>
    public string? PodProblem { get; init; }

    /// <summary>Pods that are there and do not end; null where nobody counted, as all are available.</summary>
    public int? LivePods { get; init; }

    /// <summary>The newest end of a container by its own doing, in a pod that stays; null where none is known.</summary>
    public PodCrash? Crash { get; init; }
}

/// <summary>A container that ended with an error or was started again.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Message">For people.</param>
public sealed record PodCrash(DateTimeOffset At, string Message);

/// <summary>A Service of ours.</summary>
public sealed record ServiceView : ChildView
{
    /// <summary>The component label of its selector.</summary>
    public string SelectorComponent { get; init; } = "";

    /// <summary>The revision label of its selector.</summary>
    public string SelectorRevision { get; init; } = "";

    /// <summary>Its first port; null where it has none.</summary>
    public int? Port { get; init; }

    /// <summary>The release annotation, on Service <c>&lt;name&gt;</c>.</summary>
    public string? Release { get; init; }

    /// <summary>Whether its labels, ports and selector are what the release that it points to wants, as far as the room that writes it can tell.</summary>
    public bool Drifted { get; init; }
}

/// <summary>A flags ConfigMap of ours.</summary>
public sealed record FlagsView : ChildView
{
    /// <summary>The component's name, of the label.</summary>
    public string Component { get; init; } = "";

    /// <summary>The component revision's name, of the label.</summary>
    public string Revision { get; init; } = "";

    /// <summary>The flags in it, as the file says; null where the file cannot be read or was changed by somebody.</summary>
    public IReadOnlyDictionary<string, bool>? Flags { get; init; }
}

/// <summary>The HTTPRoute.</summary>
public sealed record RouteView : ChildView
{
    /// <summary>Backends of the first rule with their weights; every rule has the same ones but those of <see cref="Differing"/>.</summary>
    public IReadOnlyList<Backend> Backends { get; init; } = [];

    /// <summary>Backends of further rules that have others than the first; then it counts as <see cref="Drifted"/>.</summary>
    public IReadOnlyList<IReadOnlyList<Backend>> Differing { get; init; } = [];

    /// <summary>Whether anything but the weights differs from what spec asks for.</summary>
    public bool Drifted { get; init; }

    /// <summary>Which version of its spec it is; changes with each change of the spec.</summary>
    public long Generation { get; init; }

    /// <summary>Whether every parent has accepted and resolved it for its newest generation.</summary>
    public bool Verified { get; init; }

    /// <summary>Whether all that keeps it from being verified is that a parent which has accepted it does not say for which generation.</summary>
    public bool Undated { get; init; }

    /// <summary>For people: what the parents say where it is not verified, else where it differs from spec; null where neither is so.</summary>
    public string? Problem { get; init; }

    /// <summary>Who last changed its backends, where that was not the operator.</summary>
    public string? ForeignWriter { get; init; }

    /// <summary>The annotation of a rollback that could not be written to status: <c>release cause</c>.</summary>
    public string? RolledBack { get; init; }

    /// <summary>Each Service that any rule names, once, with the greatest weight that any gives it.</summary>
    public IReadOnlyList<Backend> Named =>
        [.. Rules.SelectMany(static r => r).GroupBy(static b => b.Service, StringComparer.Ordinal).Select(static g => new Backend(g.Key, g.Max(static b => b.Weight)))];

    private IEnumerable<IReadOnlyList<Backend>> Rules => Differing.Prepend(Backends);

    /// <summary>Percent of the requests that a Service gets in the rule that gives it least.</summary>
    /// <param name="service">The Service's name.</param>
    public int LeastOf(string service) => Rules.Min(r => Share(r, service));

    /// <summary>Percent of the requests that a Service gets in the rule that gives it most.</summary>
    /// <param name="service">The Service's name.</param>
    public int MostOf(string service) => Rules.Max(r => Share(r, service, up: true));

    /// <summary>Percent that a Service gets in the rule that gives it least, among the rules that name any of some Services: a rule that somebody
    /// added for another purpose says nothing of them.</summary>
    /// <param name="service">The Service's name.</param>
    /// <param name="among">Services that make a rule count; where none does, all count.</param>
    public int LeastOf(string service, IReadOnlyCollection<string> among)
    {
        var rules = Rules.Where(r => r.Any(b => among.Contains(b.Service, StringComparer.Ordinal))).ToList();
        return rules.Count == 0 ? LeastOf(service) : rules.Min(r => Share(r, service));
    }

    // The least is rounded down and the most up: a weight of 1 in 1000 is still one that has to be lowered.
    private static int Share(IReadOnlyList<Backend> rule, string service, bool up = false)
    {
        var sum = rule.Sum(static b => (long)b.Weight);
        var own = rule.Where(b => string.Equals(b.Service, service, StringComparison.Ordinal)).Sum(static b => (long)b.Weight);
        return sum == 0 ? 0 : (int)(((own * 100) + (up ? sum - 1 : 0)) / sum);
    }
}

/// <summary>One backend of the route.</summary>
/// <param name="Service">The Service's name.</param>
/// <param name="Weight">Its weight; the weights of a route that the operator writes sum to 100.</param>
public sealed record Backend(string Service, int Weight);

/// <summary>The answer of a dry run of all children of a release.</summary>
public sealed record PreflightView
{
    /// <summary>The candidate's hash.</summary>
    public required string Release { get; init; }

    /// <summary>Which route was asked about: a hash of the user's part of it.</summary>
    public required string Route { get; init; }

    /// <summary>When it was answered.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What the API server refused: field, value and rule in its words; empty where it refused nothing.</summary>
    public IReadOnlyList<string> Refused { get; init; } = [];

    /// <summary>Names that somebody else holds.</summary>
    public IReadOnlyList<string> NamesTaken { get; init; } = [];

    /// <summary>Whether nothing stands in the way.</summary>
    public bool Accepted => Refused.Count == 0 && NamesTaken.Count == 0;
}
