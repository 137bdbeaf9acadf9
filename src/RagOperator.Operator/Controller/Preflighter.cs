using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Kubernetes;
using RagOperator.Operator.FeatureFlags;
using RagOperator.Operator.Traffic;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>Asks the API server, by dry run, whether it would take all children of a release: a refused template is named before anything is
/// half made.</summary>
internal sealed class Preflighter(Cluster cluster, ITrafficRouter<V1HTTPRoute> router, PodEnvironment environment, TimeProvider time)
{
    private const int MaxLength = 400;
    private const int MaxCauses = 5;

    /// <summary>Asks about every child that is not there yet, and about the route in any case: it is the only one that is written anew.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="preflight">The release.</param>
    /// <param name="route">The user's part of the route, of the spec that named the release.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer; null with the failure that stopped it where there was none.</returns>
    public async Task<(PreflightView? Answer, ApiResult? Failure)> AskAsync(
        Pass pass, Preflight preflight, JsonElement? route, CancellationToken cancellationToken)
    {
        var candidate = preflight.Candidate;
        var refused = new List<string>();
        var taken = new List<string>();
        foreach (var (kind, component, body) in Children(pass, candidate, route))
        {
            var port = cluster.Child(kind);
            var name = body["metadata"]!["name"]!.GetValue<string>();
            // What exists already is refused for that only after the server has found it valid.
            if ((kind != ChildKind.HttpRoute && pass.Seen.Has(kind, name)) || port.KindMissing) continue;
            var answer = await port.CreateAsync(body, pass.Owner.Namespace, dryRun: true, cancellationToken);
            switch (Judge(answer.Result))
            {
                case Verdict.Refused:
                    refused.AddRange(Words(answer.Result, component, port.Kind));
                    break;
                case Verdict.Exists:
                    var live = await port.GetAsync(pass.Owner.Child(name), cancellationToken);
                    if (live.Object is { } found)
                    {
                        if (pass.Owner.OwnershipOf(found) == Ownership.Foreign)
                        {
                            taken.Add(ChildWriter.Held(port, found));
                        }
                        else if (kind == ChildKind.HttpRoute)
                        {
                            // Who exists is not answered with: by another name the server shows what it would make of it.
                            var again = await port.CreateAsync(Unnamed(body), pass.Owner.Namespace, dryRun: true, cancellationToken);
                            if (Judge(again.Result) == Verdict.NoAnswer) return (null, again.Result);
                            refused.AddRange(Changed(body, again, route));
                        }
                    }
                    else if (live.Reason != ApiReason.NotFound)
                    {
                        return (null, live.Result);
                    }

                    break;
                case Verdict.NoAnswer:
                    return (null, answer.Result);
                default:
                    if (kind == ChildKind.HttpRoute) refused.AddRange(Changed(body, answer, route));
                    break;
            }
        }

        return (new PreflightView { Release = candidate.Hash, Route = preflight.Route, At = time.GetUtcNow(), Refused = refused, NamesTaken = taken }, null);
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
        ApiReason.None or ApiReason.KindMissing or ApiReason.Malformed => Verdict.Fine,
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

    private IEnumerable<(ChildKind Kind, string? Component, JsonObject Body)> Children(Pass pass, ReleaseRecord candidate, JsonElement? route)
    {
        var owner = pass.Owner;
        foreach (var component in candidate.Workloads())
        {
            yield return (ChildKind.Deployment, component.Name, WorkloadManifests.Deployment(owner, candidate, component.Name, 1, environment));
            if (component.HasService)
            {
                yield return (ChildKind.Service, component.Name, WorkloadManifests.RevisionService(owner, candidate, component.Name));
                yield return (ChildKind.Service, component.Name, WorkloadManifests.StableService(owner, candidate, component.Name));
            }

            if (candidate.Receives(component.Name))
            {
                var flags = candidate.Flags.ToDictionary(static f => f, static _ => false, StringComparer.Ordinal);
                yield return (ChildKind.ConfigMap, component.Name, FlagsConfigMap.Body(owner, component.Name, component.Revision!, flags));
            }
        }

        yield return (ChildKind.Service, null, WorkloadManifests.StableService(owner, candidate, null));
        if (route is null || candidate.Component(candidate.Entry) is not { Revision: { } revision } entry || !entry.HasService) yield break;
        var service = ChildNames.Revision(owner.Name, entry.Name, revision);
        var ports = new Dictionary<string, int>(StringComparer.Ordinal) { [service] = entry.Ports()[0].Port };
        yield return (ChildKind.HttpRoute, null, router.Create(owner, new DesiredTraffic(route, [new Backend(service, 100)], ports)));
    }

    private static IEnumerable<string> Words(ApiResult answer, string? component, string kind)
    {
        var where = component is null ? "spec.traffic.gatewayApi" : $"component {component}";
        if (answer.Status?.Details?.Causes is { Count: > 0 } causes)
            return causes.Take(MaxCauses).Select(c => Cut(string.IsNullOrEmpty(c.Field) ? $"{where}: {kind}: {c.Message}" : $"{where}: {kind} {c.Field}: {c.Message}"));
        return [Cut($"{where}: {answer.Message}")];
    }

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
