using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Workloads;

/// <summary>What Deployments and Services look like to decisions.</summary>
public static class WorkloadViews
{
    /// <summary>A Deployment as decisions see it.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="pods">Its pods; asked for only where pods are missing.</param>
    public static DeploymentView Deployment(ChildOwner owner, V1Deployment deployment, Func<IReadOnlyCollection<V1Pod>> pods)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(deployment);
        ArgumentNullException.ThrowIfNull(pods);
        // Absent means 1 to the API server, which fills it in.
        var replicas = deployment.Spec?.Replicas ?? 1;
        var observed = deployment.Status?.ObservedGeneration >= (deployment.Metadata.Generation ?? 0);
        var available = observed ? deployment.Status?.AvailableReplicas ?? 0 : 0;
        var shown = available < replicas ? pods() : [];
        var capacity = available < replicas ? PodProblems.Capacity(deployment, shown) : null;
        return new DeploymentView
        {
            Name = deployment.Name(),
            Uid = deployment.Uid(),
            ResourceVersion = deployment.ResourceVersion(),
            Owner = owner.OwnershipOf(deployment),
            Deleting = deployment.Metadata.DeletionTimestamp is not null,
            Component = deployment.GetLabel(ApiConstants.ComponentLabel) ?? "",
            Revision = deployment.GetLabel(ApiConstants.RevisionLabel) ?? "",
            Replicas = replicas,
            Available = available,
            CapacityProblem = capacity,
            GateProblem = capacity is null ? PodProblems.Gate(shown) : null,
            HasPodsOnTheirOwn = shown.Any(PodPlaces.IsOnItsOwn),
            PodProblem = available < replicas ? PodProblems.Other(deployment, shown) : null,
            LivePods = available < replicas ? PodLosses.Live(shown) : null,
            Crash = available < replicas ? PodLosses.NewestCrash(shown) : null,
        };
    }

    /// <summary>A Service as decisions see it.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="service">The Service.</param>
    /// <param name="releases">The releases that are known.</param>
    public static ServiceView Service(ChildOwner owner, V1Service service, IReadOnlyCollection<ReleaseRecord> releases)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(releases);
        var selector = service.Spec?.Selector;
        var component = selector?.GetValueOrDefault(ApiConstants.ComponentLabel) ?? "";
        var revision = selector?.GetValueOrDefault(ApiConstants.RevisionLabel) ?? "";
        var release = service.GetAnnotation(ApiConstants.ReleaseAnnotation);
        return new ServiceView
        {
            Name = service.Name(),
            Uid = service.Uid(),
            ResourceVersion = service.ResourceVersion(),
            Owner = owner.OwnershipOf(service),
            Deleting = service.Metadata.DeletionTimestamp is not null,
            SelectorComponent = component,
            SelectorRevision = revision,
            Port = service.Spec?.Ports is [var first, ..] ? first.Port : null,
            Release = release,
            Drifted = Wanted(owner, service.Name(), component, revision, release, releases) is { } wanted && !Fits(service, wanted),
        };
    }

    /// <summary>A merge patch that makes a Service what it shall be: its labels and annotations, its ports and selector whole.</summary>
    /// <param name="current">The Service as it is.</param>
    /// <param name="wanted">Its body as created now.</param>
    public static JsonObject ServicePatch(V1Service current, JsonObject wanted)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(wanted);
        var spec = wanted["spec"]!.DeepClone().AsObject();
        var selector = spec["selector"]!.AsObject();
        foreach (var (name, _) in current.Spec?.Selector ?? [])
        {
            if (!selector.ContainsKey(name)) selector[name] = null;
        }

        var metadata = new JsonObject { ["uid"] = current.Uid(), ["resourceVersion"] = current.ResourceVersion() };
        if (wanted["metadata"]!["labels"] is { } labels) metadata["labels"] = labels.DeepClone();
        if (wanted["metadata"]!["annotations"] is { } annotations) metadata["annotations"] = annotations.DeepClone();
        return new JsonObject { ["metadata"] = metadata, ["spec"] = spec };
    }

    /// <summary>Ready addresses of a Service.</summary>
    /// <param name="endpoints">The Service's Endpoints.</param>
    public static int ReadyAddresses(V1Endpoints endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        // Subsets repeat an address where ports differ.
        return (endpoints.Subsets ?? []).SelectMany(static s => s.Addresses ?? []).Select(static a => a.Ip).Distinct(StringComparer.Ordinal).Count();
    }

    /// <summary>Ready addresses of a Service by its slices. Each family of addresses has slices of its own, of the same pods: the one with the most counts.</summary>
    /// <param name="slices">The Service's EndpointSlices.</param>
    public static int ReadyAddresses(IEnumerable<V1EndpointSlice> slices) => slices
        .GroupBy(static s => s.AddressType ?? "", StringComparer.Ordinal)
        .Select(static family => family.SelectMany(static s => s.Endpoints ?? [])
            .Where(static e => e.Conditions?.Ready != false)
            .Select(static e => e.Addresses is [var first, ..] ? first : null).OfType<string>()
            // A pod on its way from one slice to another is in both for a moment.
            .Distinct(StringComparer.Ordinal).Count())
        .DefaultIfEmpty(0).Max();

    private static JsonObject? Wanted(
        ChildOwner owner, string name, string component, string revision, string? release, IReadOnlyCollection<ReleaseRecord> releases)
    {
        var entry = string.Equals(name, ChildNames.Stable(owner.Name, null), StringComparison.Ordinal);
        var stable = entry || string.Equals(name, ChildNames.Stable(owner.Name, component), StringComparison.Ordinal);
        var record = releases.FirstOrDefault(r =>
            string.Equals(r.Component(component)?.Revision, revision, StringComparison.Ordinal) && revision.Length > 0
            && (!entry || string.Equals(r.Hash, release, StringComparison.Ordinal)));
        if (record is null) return null;
        return stable
            ? WorkloadManifests.StableService(owner, record, entry ? null : component)
            : WorkloadManifests.RevisionService(owner, record, component);
    }

    private static bool Fits(V1Service service, JsonObject wanted)
    {
        var spec = wanted["spec"]!;
        return Covers(service.Metadata.Labels, wanted["metadata"]!["labels"]!.AsObject())
            && JsonNodes.Same(ChildOwner.Texts(service.Spec?.Selector ?? []), spec["selector"])
            && PortsOf(service).SequenceEqual(spec["ports"]!.AsArray().Select(PortOf));
    }

    private static bool Covers(Dictionary<string, string>? labels, JsonObject wanted) =>
        wanted.All(w => labels is not null && labels.TryGetValue(w.Key, out var value) && string.Equals(value, w.Value!.GetValue<string>(), StringComparison.Ordinal));

    private static IEnumerable<ComponentPort> PortsOf(V1Service service) =>
        (service.Spec?.Ports ?? []).Select(static p => new ComponentPort(p.Name ?? "", p.Port, Text(p.TargetPort) ?? "", p.Protocol ?? "TCP", p.AppProtocol));

    private static string? Text(JsonElement? targetPort) => targetPort is { ValueKind: JsonValueKind.String or JsonValueKind.Number } value ? value.ToString() : null;

    private static ComponentPort PortOf(JsonNode? port)
    {
        var element = port!.AsObject();
        return new ComponentPort(
            element["name"]!.GetValue<string>(),
            element["port"]!.GetValue<int>(),
            element["targetPort"]!.ToString(),
            element["protocol"]!.GetValue<string>(),
            element["appProtocol"]?.GetValue<string>());
    }
}
