using System.Text.Json.Nodes;
using RagOperator.ClusterTests.Installation;

namespace RagOperator.ClusterTests.Rights;

/// <summary>The chart's roles, taken apart into single rights.</summary>
internal static class ChartRights
{
    /// <summary>What <see cref="Right.Role"/> is for the role in the operator's own namespace.</summary>
    public const string Own = "Role own";

    /// <summary>The namespace that all operators live in, each with an account, a Lease and a Secret of its own. The bed's audit log keeps their reads, too.</summary>
    public const string Home = "rights";

    /// <summary>The chart's objects for one operator among many.</summary>
    /// <param name="mode">The installation.</param>
    /// <param name="name">What everything of this operator is called; also the namespace of its RagDeployment.</param>
    /// <param name="source">The metric source.</param>
    public static IReadOnlyList<JsonObject> Objects(Mode mode, string name, string source) =>
    [
        .. ChartObjects.Render($$"""
            fullnameOverride: {{name}}
            leaderElection: {leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 1s}
            metricSources: {default: {url: "{{source}}", namespaces: ["*"]} }
            {{(mode == Mode.Cluster ? "requests: {requireIdentity: true}\nwebhook: {namespaceSelector: {matchLabels: {rights: " + name + "}}}" : $"watchNamespaces: [{name}]")}}

            """, "-namespace", Home).Where(o => !ChartObjects.IsHook(o)),
    ];

    /// <summary>Every right that the chart gives the operator in a mode.</summary>
    public static IReadOnlyList<Right> Of(Mode mode) =>
    [
        .. from role in Objects(mode, "any", "http://127.0.0.1").Where(o => Kind(o, "any") is not null)
           from rule in role["rules"]!.AsArray().Select((r, i) => (Rule: r!, Index: i))
           from resource in rule.Rule["resources"]!.AsArray()
           from verb in rule.Rule["verbs"]!.AsArray()
           select new Right(mode, Kind(role, "any")!, rule.Index, (string)resource!, (string)verb!),
    ];

    /// <summary>A role as rights know it; null for those that are not the operator's.</summary>
    public static string? Kind(JsonObject role, string name) => ((string?)role["kind"], (string?)role["metadata"]!["name"]) switch
    {
        ("Role", var own) when own == $"{name}-own" => Own,
        (("Role" or "ClusterRole") and var kind, var its) when its == name => kind,
        _ => null,
    };

    /// <summary>A role's rules without one right.</summary>
    public static JsonArray Without(JsonObject role, string name, Right right)
    {
        var kind = Kind(role, name);
        var rules = new JsonArray();
        foreach (var (rule, i) in role["rules"]!.AsArray().Select((r, i) => (r!, i)))
        {
            foreach (var resource in rule["resources"]!.AsArray().Select(r => (string)r!))
            {
                var copy = rule.DeepClone();
                copy["resources"] = new JsonArray(resource);
                var verbs = rule["verbs"]!.AsArray().Select(v => (string)v!).Where(v => right != new Right(right.Mode, kind!, i, resource, v)).ToList();
                copy["verbs"] = new JsonArray([.. verbs.Select(v => (JsonNode)v)]);
                if (verbs.Count > 0) rules.Add(copy);
            }
        }

        return rules;
    }
}
