using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Traffic;

/// <summary>What the gateways say of an HTTPRoute.</summary>
internal static class RouteParents
{
    private const int MaxLength = 300;

    /// <summary>The first parent that has not accepted and resolved the newest generation, for people; null where all have.</summary>
    public static string? FirstUnverified(V1HTTPRoute route)
    {
        var generation = route.Metadata.Generation ?? 0;
        var any = false;
        foreach (var wanted in route.Spec?.Items("parentRefs") ?? [])
        {
            any = true;
            var parent = Parent.Of(wanted, route.Namespace());
            var answers = (route.Status?.Parents ?? []).Where(p => Parent.Of(p.ParentRef, route.Namespace()) == parent).ToList();
            // A controller that the gateway's class was taken from leaves its answer behind; one that agrees is enough.
            if (answers.Exists(a => Problem(a, generation) is null)) continue;
            var problem = answers.Count == 0 ? "has not answered" : Problem(answers[^1], generation);
            return Cut($"{parent}: {problem}");
        }

        return any ? null : "the route names no parent";
    }

    private static string? Problem(V1RouteParentStatus answer, long generation)
    {
        foreach (var type in (ReadOnlySpan<string>)["Accepted", "ResolvedRefs"])
        {
            var condition = answer.Conditions?.Find(c => string.Equals(c.Type, type, StringComparison.Ordinal));
            if (condition is null || condition.ObservedGeneration is not { } seen || seen < generation)
                return $"has not answered for generation {generation} yet ({type})";
            if (!string.Equals(condition.Status, "True", StringComparison.Ordinal))
                return $"{type}={condition.Status} {condition.Reason}: {condition.Message}";
        }

        return null;
    }

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
