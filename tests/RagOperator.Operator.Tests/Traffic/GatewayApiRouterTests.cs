using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Json;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Traffic;

public sealed class GatewayApiRouterTests
{
    private const string User = """
        {"parentRefs":[{"name":"public","namespace":"gateways"}],"hostnames":["assistant.example.com"],
         "rules":[{"matches":[{"path":{"value":"/v1"}}],"timeouts":{"request":"300s"}},{"matches":[{"headers":[{"name":"x","value":"y"}]}]}]}
        """;

    private static readonly GatewayApiRouter Router = new();
    private static readonly Backend[] Two = [new("old", 90), new("new", 10)];
    private static readonly Dictionary<string, int> Ports = new() { ["old"] = 8000, ["new"] = 8001 };

    [Fact]
    public void Create_puts_the_backends_into_every_rule()
    {
        var body = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));

        Assert.Equal("assistant", body["metadata"]!["name"]!.GetValue<string>());
        foreach (var rule in body["spec"]!["rules"]!.AsArray())
            Same.Json("""[{"name":"old","port":8000,"weight":90},{"name":"new","port":8001,"weight":10}]""", rule!["backendRefs"]);
        Same.Json("""{"request":"300s"}""", body["spec"]!["rules"]![0]!["timeouts"]);
    }

    [Fact]
    public void Create_without_rules_writes_one_of_backends_only()
    {
        var body = Router.Create(Sample.Owner, new(Sample.Element("""{"parentRefs":[{"name":"g"}]}"""), [new("old", 100)], Ports));

        Same.Json("""[{"backendRefs":[{"name":"old","port":8000,"weight":100}]}]""", body["spec"]!["rules"]);
    }

    [Fact]
    public void Create_leaves_a_redirect_without_backends()
    {
        var user = """{"rules":[{"filters":[{"type":"RequestRedirect","requestRedirect":{"scheme":"https"}}]},{}]}""";

        var body = Router.Create(Sample.Owner, new(Sample.Element(user), Two, Ports));

        Assert.Null(body["spec"]!["rules"]![0]!["backendRefs"]);
        Assert.Equal(Two, Observe(body, user).Backends);
    }

    [Fact]
    public void Observe_of_a_route_as_created_and_defaulted_has_not_drifted()
    {
        var body = Defaulted(Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports)));

        var view = Observe(body, User);

        Assert.False(view.Drifted);
        Assert.Equal(Two, view.Backends);
    }

    [Theory]
    [InlineData("""{"spec":{"hostnames":["other.example.com"]}}""")]
    [InlineData("""{"spec":{"hostnames":null}}""")]
    [InlineData("""{"spec":{"parentRefs":[]}}""")]
    [InlineData("""{"spec":{"rules":[{"matches":[{"path":{"value":"/v1"}}],"timeouts":{"request":"300s"},"backendRefs":[{"name":"old","port":8000,"weight":90},{"name":"new","port":8001,"weight":10}]}]}}""")]
    [InlineData("""{"spec":{"rules":[{"matches":[{"path":{"value":"/v1"}}],"timeouts":{"request":"300s"},"backendRefs":[{"name":"old","port":8000,"weight":90},{"name":"new","port":8001,"weight":10}]},{"matches":[{"headers":[{"name":"x","value":"y"}]}],"backendRefs":[{"name":"old","port":8000,"weight":50},{"name":"new","port":8001,"weight":50}]}]}}""")]
    [InlineData("""{"spec":{"rules":[{"matches":[{"path":{"value":"/v1"}}],"timeouts":{"request":"300s"},"filters":[{"type":"RequestMirror"}],"backendRefs":[{"name":"old","port":8000,"weight":90},{"name":"new","port":8001,"weight":10}]},{"matches":[{"headers":[{"name":"x","value":"y"}]}],"backendRefs":[{"name":"old","port":8000,"weight":90},{"name":"new","port":8001,"weight":10}]}]}}""")]
    [InlineData("""{"spec":{"rules":[{"matches":[{"path":{"value":"/v1"}}],"timeouts":{"request":"300s"},"backendRefs":[{"name":"old","port":80,"weight":90},{"name":"new","port":8001,"weight":10}]},{"matches":[{"headers":[{"name":"x","value":"y"}]}],"backendRefs":[{"name":"old","port":80,"weight":90},{"name":"new","port":8001,"weight":10}]}]}}""")]
    public void Observe_of_a_route_changed_by_hand_has_drifted_and_a_change_mends_it(string change)
    {
        var created = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        var changed = MergePatch.Apply(Sample.Object(change), created);

        var before = Observe(changed, User);
        var mended = MergePatch.Apply(Router.Change(Sample.Owner, Read(changed), new(Sample.Element(User), Two, Ports)), changed);

        Assert.True(before.Drifted);
        Assert.False(Observe(mended, User).Drifted);
        Assert.Equal(Two, Observe(mended, User).Backends);
    }

    [Fact]
    public void Change_takes_a_hostname_away_that_the_user_took_away()
    {
        var created = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        var user = """{"parentRefs":[{"name":"public","namespace":"gateways"}]}""";

        var changed = MergePatch.Apply(Router.Change(Sample.Owner, Read(created), new(Sample.Element(user), Two, Ports)), created);

        Assert.True(Observe(created, user).Drifted);
        Assert.Null(changed["spec"]!["hostnames"]);
        Assert.False(Observe(changed, user).Drifted);
    }

    [Fact]
    public void Change_without_the_users_route_touches_backends_only()
    {
        var created = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        Backend[] lowered = [new("old", 100)];

        var changed = MergePatch.Apply(Router.Change(Sample.Owner, Read(created), new(null, lowered, Ports)), created);

        Assert.Equal(lowered, Observe(changed, User).Backends);
        Assert.False(Observe(changed, User).Drifted);
    }

    [Fact]
    public void Change_sets_the_annotation_of_an_unrecorded_rollback_and_takes_it_away()
    {
        var created = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        var noted = MergePatch.Apply(Router.Change(Sample.Owner, Read(created), new(null, Two, Ports, "rel SlaBreach")), created);
        var cleared = MergePatch.Apply(Router.Change(Sample.Owner, Read(noted), new(null, Two, Ports)), noted);

        Assert.Equal("rel SlaBreach", Observe(noted, User).RolledBack);
        Assert.Null(Observe(cleared, User).RolledBack);
    }

    [Fact]
    public void Change_carries_uid_and_resource_version()
    {
        var route = Read(Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports)));
        route.Metadata.Uid = "u";
        route.Metadata.ResourceVersion = "9";

        var metadata = Router.Change(Sample.Owner, route, new(null, Two, Ports))["metadata"]!;

        Assert.Equal("u", metadata["uid"]!.GetValue<string>());
        Assert.Equal("9", metadata["resourceVersion"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"name":"public","namespace":"gateways"}""", 3, "True", "True", true)]
    [InlineData("""{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"public","namespace":"gateways"}""", 3, "True", "True", true)]
    [InlineData("""{"name":"public","namespace":"gateways"}""", 4, "True", "True", true)]
    [InlineData("""{"name":"public","namespace":"gateways"}""", 2, "True", "True", false)]
    [InlineData("""{"name":"public","namespace":"gateways"}""", 3, "False", "True", false)]
    [InlineData("""{"name":"public","namespace":"gateways"}""", 3, "True", "False", false)]
    [InlineData("""{"name":"public"}""", 3, "True", "True", false)]
    [InlineData("""{"name":"public","namespace":"gateways","sectionName":"https"}""", 3, "True", "True", false)]
    [InlineData("""{"name":"public","namespace":"gateways","port":443}""", 3, "True", "True", false)]
    [InlineData("""{"kind":"Service","group":"","name":"public","namespace":"gateways"}""", 3, "True", "True", false)]
    public void Verified_wants_every_parent_to_accept_and_resolve_the_newest_generation(
        string answered, int generation, string accepted, string resolved, bool expected)
    {
        var body = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        body["metadata"]!["generation"] = 3;
        body["status"] = Sample.Object($$"""
            {"parents":[{"parentRef":{{answered}},"conditions":[
             {"type":"Accepted","status":"{{accepted}}","observedGeneration":{{generation}},"reason":"R","message":"m"},
             {"type":"ResolvedRefs","status":"{{resolved}}","observedGeneration":{{generation}},"reason":"R","message":"m"}]}]}
            """);

        var view = Observe(body, User);

        Assert.Equal(expected, view.Verified);
        Assert.Equal(expected, view.Problem is null);
    }

    [Theory]
    // Envoy Gateway and others go on with an older version of a rule that they cannot use.
    [InlineData("""{"type":"PartiallyInvalid","status":"True","observedGeneration":3,"reason":"UnsupportedValue","message":"Fall back to last known good state"}""", "Gateway gateways/public: PartiallyInvalid=True UnsupportedValue: Fall back to last known good state")]
    [InlineData("""{"type":"PartiallyInvalid","status":"True","reason":"UnsupportedValue","message":"m"}""", "Gateway gateways/public: PartiallyInvalid=True UnsupportedValue: m")]
    [InlineData("""{"type":"PartiallyInvalid","status":"True","observedGeneration":2,"reason":"UnsupportedValue","message":"of an older one"}""", null)]
    [InlineData("""{"type":"PartiallyInvalid","status":"False","observedGeneration":3}""", null)]
    public void Parent_that_uses_only_a_part_of_the_route_verifies_nothing(string condition, string? problem)
    {
        var body = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        body["metadata"]!["generation"] = 3;
        body["status"] = Sample.Object($$"""
            {"parents":[{"parentRef":{"name":"public","namespace":"gateways"},"conditions":[
             {"type":"Accepted","status":"True","observedGeneration":3},{"type":"ResolvedRefs","status":"True","observedGeneration":3},{{condition}}]}]}
            """);

        Assert.Equal((problem is null, false, problem), (Observe(body, User).Verified, Observe(body, User).Undated, Observe(body, User).Problem));
    }

    [Theory]
    [InlineData("True", "True", true)]
    [InlineData("False", "True", false)]
    [InlineData("True", "False", false)]
    public void Parent_that_names_no_generation_is_told_from_a_silent_one(string accepted, string resolved, bool undated)
    {
        var body = Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports));
        body["metadata"]!["generation"] = 3;
        body["status"] = Sample.Object($$"""
            {"parents":[{"parentRef":{"name":"public","namespace":"gateways"},"conditions":[
             {"type":"Accepted","status":"{{accepted}}","reason":"R","message":"m"},{"type":"ResolvedRefs","status":"{{resolved}}","reason":"R","message":"m"}]}]}
            """);

        var view = Observe(body, User);

        Assert.Equal((false, undated, 3L), (view.Verified, view.Undated, view.Generation));
        Assert.Contains(undated ? "spec.traffic.settle" : "=False R: m", view.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Verified_wants_each_of_several_parents()
    {
        var user = """{"parentRefs":[{"name":"a"},{"name":"b","sectionName":"https"}]}""";
        var body = Router.Create(Sample.Owner, new(Sample.Element(user), Two, Ports));
        var good = """[{"type":"Accepted","status":"True","observedGeneration":1},{"type":"ResolvedRefs","status":"True","observedGeneration":1}]""";
        body["metadata"]!["generation"] = 1;
        body["status"] = Sample.Object($$"""{"parents":[{"parentRef":{"name":"a"},"conditions":{{good}}}]}""");
        Assert.Equal("Gateway rag/b listener https: has not answered", Observe(body, user).Problem);

        body["status"] = Sample.Object(
            $$"""{"parents":[{"parentRef":{"name":"a"},"conditions":{{good}}},{"parentRef":{"name":"b","namespace":"rag","sectionName":"https"},"conditions":{{good}}}]}""");
        Assert.True(Observe(body, user).Verified);
    }

    [Fact]
    public void Verified_is_false_without_any_parent()
    {
        Assert.False(Observe(Router.Create(Sample.Owner, new(Sample.Element("{}"), Two, Ports)), "{}").Verified);
    }

    [Theory]
    [InlineData("kubectl-edit", null, """{"f:spec":{"f:rules":{}}}""", "kubectl-edit")]
    [InlineData("rag-operator", null, """{"f:spec":{"f:rules":{}}}""", null)]
    [InlineData("nginx", "status", """{"f:spec":{"f:rules":{}}}""", null)]
    [InlineData("kubectl-annotate", null, """{"f:metadata":{"f:annotations":{}}}""", null)]
    public void ForeignWriter_is_who_owns_the_rules(string manager, string? subresource, string fields, string? expected)
    {
        var route = Read(Router.Create(Sample.Owner, new(Sample.Element(User), Two, Ports)));
        route.Metadata.ManagedFields = [new() { Manager = manager, Subresource = subresource, FieldsV1 = Sample.Element(fields) }];

        Assert.Equal(expected, Router.Observe(Sample.Owner, route, null, Ports).ForeignWriter);
    }

    // What a Gateway API server fills in.
    private static JsonObject Defaulted(JsonObject route)
    {
        var result = route.DeepClone().AsObject();
        foreach (var parent in result["spec"]!["parentRefs"]!.AsArray())
        {
            parent!["group"] = "gateway.networking.k8s.io";
            parent["kind"] = "Gateway";
        }

        foreach (var rule in result["spec"]!["rules"]!.AsArray())
        {
            foreach (var match in rule!["matches"]!.AsArray().OfType<JsonObject>())
            {
                if (match["path"] is not JsonObject path) match["path"] = path = [];
                path["type"] ??= "PathPrefix";
                path["value"] ??= "/";
                foreach (var header in (match["headers"] as JsonArray ?? []).OfType<JsonObject>()) header["type"] ??= "Exact";
            }

            foreach (var backend in rule["backendRefs"]!.AsArray())
            {
                backend!["group"] = "";
                backend["kind"] = "Service";
            }
        }

        return result;
    }

    private static RouteView Observe(JsonObject route, string user) => Router.Observe(Sample.Owner, Read(route), Sample.Element(user), Ports);

    private static V1HTTPRoute Read(JsonObject route) => route.Deserialize(AbstractionsJsonContext.Default.V1HTTPRoute)!;
}
