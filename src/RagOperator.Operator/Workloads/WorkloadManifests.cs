using System.Globalization;
using System.Text.Json.Nodes;
using RagOperator.Api;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.Workloads;

/// <summary>Bodies of Deployments and Services. Pure functions of the component revision.</summary>
public static class WorkloadManifests
{
    /// <summary>The Deployment of a component revision.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="release">A release that names the revision.</param>
    /// <param name="component">The component's name; one that is ours to run.</param>
    /// <param name="replicas">Pods wanted, 0 or more.</param>
    /// <param name="environment">Variables that the operator's configuration adds.</param>
    /// <exception cref="InvalidOperationException">The release has no such component, or it is external.</exception>
    public static JsonObject Deployment(ChildOwner owner, ReleaseRecord release, string component, int replicas, PodEnvironment environment)
    {
        var (record, revision) = Workload(release, component);
        var labels = owner.Labels(component, revision);
        return new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "Deployment",
            ["metadata"] = owner.Metadata(ChildNames.Revision(owner.Name, component, revision), labels),
            ["spec"] = new JsonObject
            {
                ["replicas"] = replicas,
                ["selector"] = new JsonObject { ["matchLabels"] = ChildOwner.Texts(labels) },
                ["template"] = PodTemplate.Build(owner, release, record, environment),
            },
        };
    }

    /// <summary>The Service of a component revision; it is never pointed elsewhere.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="release">A release that names the revision.</param>
    /// <param name="component">The component's name; one that is ours to run and has ports.</param>
    /// <exception cref="InvalidOperationException">The release has no such component, or it is external.</exception>
    public static JsonObject RevisionService(ChildOwner owner, ReleaseRecord release, string component)
    {
        var (record, revision) = Workload(release, component);
        return Service(owner, ChildNames.Revision(owner.Name, component, revision), owner.Labels(component, revision), null, record, revision);
    }

    /// <summary>The Service <c>&lt;name&gt;</c> or <c>&lt;name&gt;-&lt;component&gt;</c>, which always selects stable.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="release">The stable release.</param>
    /// <param name="component">The component's name; null for the entry's short name, which also tells which release is stable.</param>
    /// <exception cref="InvalidOperationException">The release has no such component, or it is external.</exception>
    public static JsonObject StableService(ChildOwner owner, ReleaseRecord release, string? component)
    {
        var (record, revision) = Workload(release, component ?? release.Entry);
        KeyValuePair<string, string>[]? annotations = component is null ? [new(ApiConstants.ReleaseAnnotation, release.Hash)] : null;
        // Without the revision label: what selects by it shall find a revision's own Service and not this one too. The component's
        // label tells the two short names apart.
        KeyValuePair<string, string>[] labels =
            component is null ? [.. owner.NameLabels()] : [.. owner.NameLabels(), new(ApiConstants.ComponentLabel, component)];
        return Service(owner, ChildNames.Stable(owner.Name, component), labels, annotations, record, revision);
    }

    private static JsonObject Service(
        ChildOwner owner,
        string name,
        IEnumerable<KeyValuePair<string, string>> labels,
        IEnumerable<KeyValuePair<string, string>>? annotations,
        ComponentRecord component,
        string revision) => new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = owner.Metadata(name, labels, annotations),
            ["spec"] = new JsonObject
            {
                ["selector"] = ChildOwner.Texts(owner.Labels(component.Name, revision)),
                ["ports"] = new JsonArray([.. component.Ports().Select(static p => (JsonNode)PortOf(p))]),
            },
        };

    private static JsonObject PortOf(ComponentPort port)
    {
        // The protocol is written out although it has a default: a later change is compared with what the server shows.
        var written = new JsonObject
        {
            ["name"] = port.Name,
            ["port"] = port.Port,
            ["targetPort"] = int.TryParse(port.Target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : port.Target,
            ["protocol"] = port.Protocol ?? "TCP",
        };
        if (port.AppProtocol is not null) written["appProtocol"] = port.AppProtocol;
        return written;
    }

    private static (ComponentRecord Record, string Revision) Workload(ReleaseRecord release, string component) =>
        release.Component(component) is { Revision: { } revision } record
            ? (record, revision)
            : throw new InvalidOperationException($"Release {release.Hash} runs no component {component}.");
}
