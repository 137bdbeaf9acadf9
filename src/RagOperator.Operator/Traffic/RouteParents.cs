using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>What the gateways say of an HTTPRoute.</summary>
internal static class RouteParents
{
    private const int MaxLength = 300;

    private static readonly string[] s_needed = ["Accepted", "ResolvedRefs"];

    /// <summary>The first parent that has not accepted and resolved the newest generation, for people; null where all have. Undated: all of them have
    /// accepted it, and some do not say for which generation.</summary>
    public static (string? Problem, bool Undated) FirstUnverified(V1HTTPRoute route)
    {
        var generation = route.Metadata.Generation ?? 0;
        var any = false;
        string? undated = null;
        foreach (var wanted in route.Spec?.Items("parentRefs") ?? [])
        {
            any = true;
            var parent = Parent.Of(wanted, route.Namespace());
            var answers = (route.Status?.Parents ?? []).Where(p => Parent.Of(p.ParentRef, route.Namespace()) == parent)
                .Select(a => (Problem: Problem(a, generation), IsUndated: IsUndated(a))).ToList();
            // A controller that the gateway's class was taken from leaves its answer behind; one that agrees is enough.
            if (answers.Exists(static a => a is { Problem: null, IsUndated: false })) continue;
            if (answers.Exists(static a => a.Problem is null))
            {
                undated ??= Cut($"{parent}: says Accepted without observedGeneration, so nobody can tell for which version of the route; spec.traffic.settle says how long after a change to believe it");
                continue;
            }

            return (Cut($"{parent}: {(answers.Count == 0 ? "has not answered" : answers[^1].Problem)}"), false);
        }

        return any ? (undated, undated is not null) : ("the route names no parent", false);
    }

    private static string? Problem(V1RouteParentStatus answer, long generation)
    {
        foreach (var type in s_needed)
        {
            var condition = Find(answer, type);
            if (condition is null || condition.ObservedGeneration < generation) return $"has not answered for generation {generation} yet ({type})";
            if (!string.Equals(condition.Status, "True", StringComparison.Ordinal)) return Words(condition);
        }

        // A gateway that cannot use a rule drops it, or goes on with an older version of it: what it serves is not what the route says.
        return Find(answer, "PartiallyInvalid") is { Status: "True" } partial && !(partial.ObservedGeneration < generation) ? Words(partial) : null;
    }

    private static bool IsUndated(V1RouteParentStatus answer) => s_needed.Any(type => Find(answer, type) is { ObservedGeneration: null });

    private static V1Condition? Find(V1RouteParentStatus answer, string type) => answer.Conditions?.Find(c => string.Equals(c.Type, type, StringComparison.Ordinal));

    private static string Words(V1Condition condition) => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}";

    private static string Cut(string text) => text.Length <= MaxLength ? text : text[..MaxLength];

    // With the defaults of the Gateway API filled in: the two sides leave out different ones.
    private sealed record Parent(string Group, string Kind, string Namespace, string Name, string SectionName, int Port)
    {
        public static Parent Of(JsonElement reference, string ownNamespace) => new(
            reference.Text("group") ?? V1HTTPRoute.EntityMetadata.Group,
            reference.Text("kind") ?? "Gateway",
            reference.Text("namespace") ?? ownNamespace,
            reference.Text("name") ?? "",
            reference.Text("sectionName") ?? "",
            reference.Number("port") ?? 0);

        public static Parent? Of(V1ParentReference? reference, string ownNamespace) => reference is null ? null : new(
            reference.Group ?? V1HTTPRoute.EntityMetadata.Group,
            reference.Kind ?? "Gateway",
            reference.Namespace ?? ownNamespace,
            reference.Name ?? "",
            reference.SectionName ?? "",
            reference.Port ?? 0);

        public override string ToString() => $"{Kind} {Namespace}/{Name}{(SectionName.Length > 0 ? $" listener {SectionName}" : "")}";
    }
}
