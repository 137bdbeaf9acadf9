using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>The rights that the chart gives.</summary>
public sealed class RightsTests
{
    private const string RbacGroup = "rbac.authorization.k8s.io/v1";

    [SkippableFact]
    public void Some_namespaces_need_Roles_only()
    {
        var objects = Render("namespaced");
        Assert.DoesNotContain(objects, o => ((string?)o["kind"])!.StartsWith("Cluster", StringComparison.Ordinal));
        Assert.DoesNotContain(objects, o => ((string?)o["kind"])!.EndsWith("WebhookConfiguration", StringComparison.Ordinal));
        // The CRD is the one thing that has no namespace.
        Assert.Equal(["CustomResourceDefinition"], objects.Where(o => o["metadata"]!["namespace"] is null).Select(o => (string?)o["kind"]));
        foreach (var place in (string[])["rag-a", "rag-b"])
        {
            var role = objects.Single(o => (string?)o["kind"] == "Role" && (string?)o["metadata"]!["namespace"] == place && !IsHook(o));
            Assert.Equal(Operator(Render("default"))["rules"]!.AsArray().Where(static r => !IsWebhooks(r!)).Select(static r => r!.ToJsonString()), role["rules"]!.AsArray().Select(static r => r!.ToJsonString()));
            var binding = objects.Single(o => (string?)o["kind"] == "RoleBinding" && (string?)o["metadata"]!["namespace"] == place && !IsHook(o));
            Assert.Equal("rag-operator-system", (string?)binding["subjects"]![0]!["namespace"]);
        }
    }

    [SkippableTheory]
    [InlineData("default")]
    [InlineData("webhook")]
    [InlineData("everything")]
    [InlineData("namespaced")]
    public void No_wildcard_no_Secrets_of_the_cluster_and_a_Lease_by_name(string values)
    {
        var objects = Render(values);
        var rules = objects.Where(o => (string?)o["apiVersion"] == RbacGroup && o["rules"] is not null).SelectMany(o => o["rules"]!.AsArray().Select(r => (Role: o, Rule: r!.AsObject()))).ToList();
        Assert.NotEmpty(rules);
        foreach (var (role, rule) in rules)
        {
            foreach (var part in (string[])["apiGroups", "resources", "verbs"]) Assert.DoesNotContain("*", Words(rule[part]));
            Assert.DoesNotContain("escalate", Words(rule["verbs"]));
            Assert.DoesNotContain("bind", Words(rule["verbs"]));
            Assert.DoesNotContain("impersonate", Words(rule["verbs"]));
            foreach (var resource in Words(rule["resources"]).Intersect(["secrets", "leases", "validatingwebhookconfigurations", "mutatingwebhookconfigurations"], StringComparer.Ordinal))
            {
                var named = rule["resourceNames"] is JsonArray { Count: 1 };
                // What is to be created has no name yet.
                Assert.True(named || Words(rule["verbs"]).SequenceEqual(["create"]), $"{role["metadata"]!["name"]} gives {resource} without a name");
                if (resource is "secrets" or "leases") Assert.Equal("Role", (string?)role["kind"]);
            }
        }
    }

    [SkippableFact]
    public void People_get_rights_by_their_roles_and_nobody_writes_status()
    {
        var roles = Render("default").Where(o => o["metadata"]!["labels"]!["rbac.authorization.k8s.io/aggregate-to-admin"] is not null).ToDictionary(o => (string)o["metadata"]!["name"]!);
        Assert.Equal(["rag-operator-admin", "rag-operator-edit", "rag-operator-view"], roles.Keys.Order(StringComparer.Ordinal));
        string[] requests = ["retry", "abort", "pause", "resume"];
        Assert.Subset(Verbs(roles["rag-operator-edit"]), requests.ToHashSet());
        // A second pair of eyes: who may edit does not approve by that.
        Assert.Equal(["approve", "promote"], Verbs(roles["rag-operator-admin"]).Except(Verbs(roles["rag-operator-edit"]), StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.Subset(Verbs(roles["rag-operator-admin"]), Verbs(roles["rag-operator-edit"]).ToHashSet());
        Assert.Equal(["get", "list", "watch"], Verbs(roles["rag-operator-view"]).Order(StringComparer.Ordinal));
        foreach (var role in roles.Values.Where(r => (string?)r["metadata"]!["name"] != "rag-operator-view"))
            Assert.DoesNotContain(role["rules"]!.AsArray(), r => Words(r!["resources"]).Contains("ragdeployments/status"));
        // Aggregation gives nothing that an edit role must not have: each rule is about RagDeployments alone.
        Assert.All(roles.Values.SelectMany(r => r["rules"]!.AsArray()), r => Assert.Equal(["ragoperator.dev"], Words(r!["apiGroups"])));
    }

    [SkippableFact]
    public void Editors_need_not_be_those_who_approve()
    {
        var roles = Render("webhook").Where(o => (string?)o["kind"] == "ClusterRole").ToDictionary(o => (string)o["metadata"]!["name"]!);
        var edit = Verbs(roles["rag-operator-edit"]);
        Assert.Empty(edit.Intersect(["approve", "promote"], StringComparer.Ordinal));
        Assert.Equal(["approve", "promote"], Verbs(roles["rag-operator-admin"]).Except(edit, StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public void Without_rights_and_account_of_its_own_it_makes_none()
    {
        var objects = Render("no-webhook").Where(o => !IsHook(o)).ToList();
        Assert.DoesNotContain(objects, o => (string?)o["apiVersion"] == RbacGroup || (string?)o["kind"] is "ServiceAccount" or "CustomResourceDefinition");
        Assert.Equal("given", (string?)objects.Single(o => (string?)o["kind"] == "Deployment")["spec"]!["template"]!["spec"]!["serviceAccountName"]);
    }

    private static IReadOnlyList<JsonObject> Render(string values)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        return HelmChart.Objects(HelmChart.Text(HelmChart.Values(values)));
    }

    private static JsonObject Operator(IReadOnlyList<JsonObject> objects) => objects.Single(o => (string?)o["kind"] == "ClusterRole" && (string?)o["metadata"]!["name"] == "rag-operator");

    /// <summary>Of objects that have no namespace: only the webhook needs them.</summary>
    private static bool IsWebhooks(JsonNode rule) => Words(rule["apiGroups"]).Intersect(["authorization.k8s.io", "admissionregistration.k8s.io"], StringComparer.Ordinal).Any();

    private static bool IsHook(JsonObject o) => o["metadata"]!["annotations"]?["helm.sh/hook"] is not null;

    private static HashSet<string> Verbs(JsonObject role) => [.. role["rules"]!.AsArray().SelectMany(r => Words(r!["verbs"]))];

    private static IEnumerable<string> Words(JsonNode? list) => list?.AsArray().Select(w => (string)w!) ?? [];
}
