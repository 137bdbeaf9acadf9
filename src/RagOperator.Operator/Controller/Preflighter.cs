using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.FeatureFlags;
using RagOperator.Operator.Json;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Asks the API server, by dry run, whether it would take all children of a release: a refused template is named before anything is
/// half made.</summary>
internal sealed class Preflighter(Cluster cluster, ITrafficRouter<V1HTTPRoute> router, PodEnvironment environment, TimeProvider time)
{
    private const int MaxLength = 400;
    private const int MaxCauses = 5;
    private const int AtOnce = 8;

    // Of all objects together, a quarter of the requests that the client has under way at once: where the server is slow or asks to wait,
    // releases that are to begin must not hold up a rollback.
    private static readonly SemaphoreSlim s_slots = new(16);

    // Webhooks are asked, too, which have ten seconds by default. Nothing else of the object is looked at meanwhile.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    /// <summary>Asks about every child that is not there yet, and about the route in any case: it is the only one that is written anew.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="preflight">The release.</param>
    /// <param name="spec">The spec that named the release: the user's part of the route, and labels and annotations.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer; null with the failure that stopped it where there was none.</returns>
    public async Task<(PreflightView? Answer, ApiResult? Failure)> AskAsync(
        Pass pass, Preflight preflight, ResolvedSpec? spec, CancellationToken cancellationToken)
    {
        var route = spec?.GatewayApi;
        var candidate = preflight.Candidate;
        var refused = new List<string>();
        var taken = new List<string>();
        // Some beside each other: one after the other, whoever wrote a wrong spec waits for the sum of them.
        foreach (var some in Children(pass, candidate, spec).Chunk(AtOnce))
        {
            var findings = await Task.WhenAll(some.Select(child => AskAsync(pass, child, route, cancellationToken)));
            if (Array.Find(findings, static f => f.Failure is not null) is { Failure: { } failure }) return (null, failure);
            refused.AddRange(findings.SelectMany(static f => f.Refused));
            taken.AddRange(findings.Select(static f => f.Taken).OfType<string>());
        }

        return (new PreflightView { Release = candidate.Hash, Route = preflight.Route, At = time.GetUtcNow(), Refused = refused, NamesTaken = taken }, null);
    }

    private async Task<Finding> AskAsync(Pass pass, Child child, JsonElement? route, CancellationToken cancellationToken)
    {
        var (kind, component, body, _) = child;
        var port = cluster.Child(kind);
        var name = body["metadata"]!["name"]!.GetValue<string>();
        // What exists already is refused for that only after the server has found it valid.
        if ((kind != ChildKind.HttpRoute && pass.Seen.Has(kind, name)) || port.KindMissing) return Finding.Fine;
        var answer = await DryRunAsync(kind, body, pass.Owner.Namespace, cancellationToken);
        switch (Judge(answer.Result))
        {
            case Verdict.Refused:
                return new Finding(Words(answer.Result, component, port.Kind, name));
            case Verdict.NoAnswer:
                return new Finding([], Failure: answer.Result);
            case Verdict.Exists:
                return await LookAtHolderAsync(pass, port, child, name, route, cancellationToken);
            default:
                return kind switch
                {
                    ChildKind.HttpRoute => new Finding(Changed(body, answer, route)),
                    ChildKind.Deployment => new Finding(Dropped(child, answer)),
                    _ => Finding.Fine,
                };
        }
    }

    private async Task<Finding> LookAtHolderAsync(Pass pass, KindPort port, Child child, string name, JsonElement? route, CancellationToken cancellationToken)
    {
        var live = await port.GetAsync(pass.Owner.Child(name), cancellationToken);
        if (live.Object is not { } found) return live.Reason == ApiReason.NotFound ? Finding.Fine : new Finding([], Failure: live.Result);
        if (pass.Owner.OwnershipOf(found) == Ownership.Foreign) return new Finding([], Taken: ChildWriter.Held(port, found));
        if (child.Kind != ChildKind.HttpRoute) return Finding.Fine;
        // Who exists is not answered with: by another name the server shows what it would make of it.
        var again = await DryRunAsync(child.Kind, Unnamed(child.Body), pass.Owner.Namespace, cancellationToken);
        return Judge(again.Result) == Verdict.NoAnswer ? new Finding([], Failure: again.Result) : new Finding(Changed(child.Body, again, route));
    }

    private async Task<Answer> DryRunAsync(ChildKind kind, JsonObject body, string ns, CancellationToken cancellationToken)
    {
        await s_slots.WaitAsync(cancellationToken);
        try
        {
            if (kind != ChildKind.Deployment) return await cluster.Child(kind).CreateAsync(body, ns, dryRun: true, s_patience, cancellationToken);
            // With its pod template, which the caches do not keep.
            var stored = await cluster.Client.CreateAsync<V1StoredDeployment>(body, ns, dryRun: true, s_patience, cancellationToken);
            return new(stored, stored.Value);
        }
        finally
        {
            s_slots.Release();
        }
    }

    // Template: the user's own, of a Deployment.
    private readonly record struct Child(ChildKind Kind, string? Component, JsonObject Body, JsonElement? Template = null);

    // What one child's dry run says: rules that it breaks, whose its name is, or why there is no answer.
    private sealed record Finding(IEnumerable<string> Refused, string? Taken = null, ApiResult? Failure = null)
    {
        public static Finding Fine { get; } = new([]);
    }

    private enum Verdict
    {
        Fine,
        Refused,
        Exists,
        NoAnswer,
    }

    private static Verdict Judge(ApiResult answer) => answer.Reason switch
    {
        ApiReason.None or ApiReason.Malformed => Verdict.Fine,
        ApiReason.AlreadyExists => Verdict.Exists,
        ApiReason.BadRequest or ApiReason.Invalid or ApiReason.RequestEntityTooLarge => Verdict.Refused,
        // A used-up quota shows later, as Capacity. What the operator itself may not do, and a namespace that goes, say nothing about the spec.
        ApiReason.Forbidden when PodProblems.IsQuota(answer.Message) => Verdict.Fine,
        ApiReason.Forbidden when IsAboutUs(answer.Message) => Verdict.NoAnswer,
        ApiReason.Forbidden => Verdict.Refused,
        _ => Verdict.NoAnswer,
    };

    // The second is what OwnerReferencesPermissionEnforcement says to who may not `update` the owner's finalizers.
    private static bool IsAboutUs(string message) =>
        message.Contains("cannot create resource", StringComparison.Ordinal)
        || message.Contains("a resource you can't set finalizers on", StringComparison.Ordinal)
        || message.Contains("being terminated", StringComparison.Ordinal);

    private IEnumerable<Child> Children(Pass pass, ReleaseRecord candidate, ResolvedSpec? spec)
    {
        foreach (var child in Bare(pass, candidate, spec?.GatewayApi))
        {
            CarriedMetadata.Of(spec, child.Kind, child.Component)?.AddTo(child.Body);
            yield return child;
        }
    }

    private IEnumerable<Child> Bare(Pass pass, ReleaseRecord candidate, JsonElement? route)
    {
        var owner = pass.Owner;
        foreach (var component in candidate.Workloads())
        {
            yield return new(ChildKind.Deployment, component.Name, WorkloadManifests.Deployment(owner, candidate, component.Name, 1, environment), component.Template());
            if (component.HasService)
            {
                yield return new(ChildKind.Service, component.Name, WorkloadManifests.RevisionService(owner, candidate, component.Name));
                yield return new(ChildKind.Service, component.Name, WorkloadManifests.StableService(owner, candidate, component.Name));
            }

            if (candidate.Receives(component.Name))
            {
                var flags = candidate.Flags.ToDictionary(static f => f, static _ => false, StringComparer.Ordinal);
                yield return new(ChildKind.ConfigMap, component.Name, FlagsConfigMap.Body(owner, component.Name, component.Revision!, flags));
            }
        }

        yield return new(ChildKind.Service, null, WorkloadManifests.StableService(owner, candidate, null));
        if (route is null || candidate.Component(candidate.Entry) is not { Revision: { } revision } entry || !entry.HasService) yield break;
        var service = ChildNames.Revision(owner.Name, entry.Name, revision);
        var ports = new Dictionary<string, int>(StringComparer.Ordinal) { [service] = entry.Ports()[0].Port };
        yield return new(ChildKind.HttpRoute, null, router.Create(owner, new DesiredTraffic(route, [new Backend(service, 100)], ports)));
    }

    private static IEnumerable<string> Words(ApiResult answer, string? component, string kind, string name)
    {
        var where = component is not null ? $"component {component}"
            : string.Equals(kind, V1HTTPRoute.EntityMetadata.Kind, StringComparison.Ordinal) ? "spec.traffic.gatewayApi"
            : "spec.traffic";
        if (answer.Status?.Details?.Causes is { Count: > 0 } causes)
            return causes.Take(MaxCauses).Select(c => Cut(string.IsNullOrEmpty(c.Field) ? $"{where}: {kind} {name}: {c.Message}" : $"{where}: {kind} {c.Field}: {c.Message}"));
        return [Cut($"{where}: {kind} {name}: {answer.Message}")];
    }

    // The server's own words are of what it knows; what it does not know it may drop in silence.
    private static IEnumerable<string> Dropped(Child child, Answer answer) =>
        child.Template is not { } template || answer.Object is not V1StoredDeployment { Spec.ValueKind: JsonValueKind.Object } stored || stored.Spec.Member("template") is not { } kept ? []
        : DroppedMembers.Of(template, kept).Take(MaxCauses).Select(field =>
            Cut($"component {child.Component}: template.{field}: is not a field of this cluster's Deployment, or is turned off there: the server leaves it out"));

    // Of the route alone: its kind is a resource definition, which keeps what it knows as it was written. What is stored otherwise would never
    // become what spec says, and be written again and again.
    private static IEnumerable<string> Changed(JsonObject body, Answer answer, JsonElement? route)
    {
        if (answer.Object is not V1HTTPRoute { Spec: { } stored }) return [];
        var dropped = DroppedFields.Of(JsonElement.Parse(body["spec"]!.ToJsonString()), stored).Take(MaxCauses)
            .Select(static field => Cut($"spec.traffic.gatewayApi.{field}: is not a field of this cluster's HTTPRoute")).ToList();
        return dropped.Count > 0 || route is not { } wanted || RouteDrift.Find(wanted, stored) is not { } place ? dropped
            : [Cut($"spec.traffic.gatewayApi: the cluster stores {place} of the HTTPRoute otherwise than it was written; an admission webhook may do that, and its value must then be what spec says")];
    }

    private static JsonObject Unnamed(JsonObject body)
    {
        var copy = (JsonObject)body.DeepClone();
        var metadata = (JsonObject)copy["metadata"]!;
        metadata["generateName"] = $"{metadata["name"]}-";
        metadata.Remove("name");
        return copy;
    }

    private static string Cut(string text) => text.Length <= MaxLength ? text : text[..MaxLength];
}
