using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>What takes weight or flags away waits for nothing and is tried again at once. The decisions are scripted.</summary>
public sealed class LoweringTests : ScriptedPass
{
    [Fact]
    public async Task Status_is_asked_for_once_and_waited_for_two_seconds_where_something_is_to_be_lowered()
    {
        Decide = i => Output(i, new() { Phase = $"{Inputs.Count}" }) with { After = Inputs.Count == 1 ? [Lower(i)] : [] };

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal([TimeSpan.FromSeconds(2), null], Bed.Api.Requests.Where(static r => r.Resource == "ragdeployments/status").Select(static r => r.Patience));
    }

    [Fact]
    public async Task Records_that_status_will_name_are_waited_for_no_longer_where_something_is_to_be_lowered()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { Before = [new CreateRelease(Sample.Release())], After = [Lower(i), Create()] };
        await Bed.PassAsync();
        Assert.Equal(
            [("controllerrevisions", TimeSpan.FromSeconds(2)), ("ragdeployments/status", TimeSpan.FromSeconds(2)), ("httproutes", (TimeSpan?)null), ("services", null)],
            Bed.Api.Writes.Select(static r => (r.Resource, r.Patience)));
    }

    [Fact]
    public async Task Status_that_was_written_though_no_answer_came_is_the_own_one_and_its_events_are_told()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with
        {
            Memory = new EngineMemory { CreditedTo = DateTimeOffset.UnixEpoch },
            Events = Inputs.Count == 1 ? [new EngineEvent("RollbackStarted", "m", true)] : [],
        };
        Bed.Api.Fault = r =>
        {
            if (r.Resource != "ragdeployments/status" || Inputs.Count > 1) return null;
            Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Degraded"}}""");
            return new(ApiReason.Transport, 0, "no answer within 2 s");
        };

        await Bed.PassAsync();
        await Bed.PassAsync();

        Assert.Equal(DateTimeOffset.UnixEpoch, Inputs[1].Memory.CreditedTo);
        Assert.Single(Bed.Events, static e => e.Reason == "RollbackStarted");
    }

    [Fact]
    public async Task Status_that_meets_writes_of_somebody_elses_is_repeated_in_the_same_pass()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i)] };
        var touched = 0;
        Bed.Api.Fault = r =>
        {
            // Labels, then spec and a request, then labels again: as fast as it is asked for.
            if (r.Resource == "ragdeployments/status" && touched++ < 5)
                Bed.Api.Change<RagDeployment>("assistant", touched % 2 == 0 ? """{"spec":{"x":1}}""" : """{"metadata":{"labels":{"n":"1"}}}""");
            return null;
        };

        Assert.True((await Bed.PassAsync()).IsSuccess);

        Assert.Single(Inputs);
        Assert.Equal(0, Bed.Weights()[New]);
        Assert.Equal("Degraded", Bed.Api.All<RagDeployment>().Single().Status!.Phase);
    }

    [Theory]
    [InlineData("""{"status":{"phase":"Healthy"}}""")]
    [InlineData("""{"spec":{"x":1}}""")]
    [InlineData("""{"metadata":{"annotations":{"ragoperator.dev/request":"abort/current"}}}""")]
    public async Task Status_by_which_something_rises_is_not_repeated_over_what_it_was_not_decided_from(string change)
    {
        Decide = i => Output(i, new() { Phase = "Progressing" }) with { After = [Create()] };
        var touched = 0;
        Bed.Api.Fault = r =>
        {
            if (r.Resource == "ragdeployments/status" && touched++ == 0) Bed.Api.Change<RagDeployment>("assistant", change);
            return null;
        };

        await Bed.PassAsync();

        Assert.DoesNotContain(Bed.Api.Accepted, static w => w.Contains("status", StringComparison.Ordinal) || w.Contains("create", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Status_that_another_leader_wrote_is_not_written_over_for_a_lowering_either()
    {
        Decide = i => Output(i, new() { Phase = "Degraded" }) with { After = [Lower(i)] };
        var touched = 0;
        Bed.Api.Fault = r =>
        {
            if (r.Resource == "ragdeployments/status" && touched++ == 0) Bed.Api.Change<RagDeployment>("assistant", """{"status":{"phase":"Healthy"}}""");
            return null;
        };

        await Bed.PassAsync();

        Assert.Empty(Bed.Api.Accepted);
    }

    [Fact]
    public async Task Lowering_that_meets_a_conflict_is_read_again_and_repeated_at_once()
    {
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [Lower(i)] };
        var touched = 0;
        Bed.Api.Fault = r =>
        {
            if (r is { Verb: "patch", Resource: "httproutes" } && touched++ < 3) PutStatus();
            return null;
        };

        Assert.True((await Bed.PassAsync()).IsSuccess);

        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_that_would_raise_by_now_is_not_repeated()
    {
        Backend[] less = [new(Old, 95), new(New, 5)];
        Decide = i => Output(i, new() { Phase = "x" }) with { After = [new ApplyRoute(less, Ports, i.Observed.Route, null, Direction.Lowers)] };
        var touched = false;
        Bed.Api.Fault = r =>
        {
            if (r is not { Verb: "patch", Resource: "httproutes" } || touched) return null;
            touched = true;
            PutRoute(Lowered);
            return null;
        };

        await Bed.PassAsync();

        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_that_is_refused_for_the_users_part_of_the_route_changes_the_weights_alone()
    {
        Decide = i => Output(i, new() { Phase = "x", PolicyRevision = "p" }) with { Before = i.Observed.Policies.Count == 0 ? [new CreatePolicy("p")] : [], After = [Lower(i)] };
        Bed.Api.Change<RagDeployment>("assistant", FullSpec("BAD"));
        Bed.Api.Fault = static r => r is { Verb: "patch", Resource: "httproutes" } && r.Body!["spec"]!["hostnames"]?[0]?.GetValue<string>() == "BAD"
            ? new(ApiReason.Invalid, 422, "spec.hostnames[0]: Invalid value")
            : null;

        Assert.True((await Bed.PassAsync()).IsSuccess);

        Assert.Equal(2, Bed.Api.Requests.Count(static r => r is { Verb: "patch", Resource: "httproutes" }));
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Lowering_of_flags_that_meets_a_conflict_is_repeated_only_while_no_flag_goes_on()
    {
        var on = FeatureFlags(("a", true), ("b", true));
        var off = FeatureFlags(("a", true), ("b", false));
        Bed.Api.Put<V1ConfigMap>(Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r1", on));
        Bed.Api.Put<V1ConfigMap>(Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r2", on));
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            After =
            [
                new ApplyFlags("api", "r1", off, i.Observed.FlagMaps["assistant-api-r1-flags"], Direction.Lowers),
                new ApplyFlags("api", "r2", off, i.Observed.FlagMaps["assistant-api-r2-flags"], Direction.Lowers),
            ],
        };
        var touched = new HashSet<string>();
        Bed.Api.Fault = r =>
        {
            if (r is not { Verb: "patch", Resource: "configmaps" } || !touched.Add(r.Key.Name)) return null;
            // r1: touched without meaning; r2: somebody turned both off
            if (r.Key.Name == "assistant-api-r1-flags") Bed.Api.Change<V1ConfigMap>(r.Key.Name, """{"metadata":{"annotations":{"x":"y"}}}""");
            else Bed.Api.Change<V1ConfigMap>(r.Key.Name, new JsonObject { ["data"] = Operator.FeatureFlags.FlagsConfigMap.Body(Sample.Owner, "api", "r2", FeatureFlags(("a", false), ("b", false)))["data"]!.DeepClone() }.ToJsonString());
            return null;
        };

        await Bed.PassAsync();

        Assert.Equal(off, Flags("assistant-api-r1-flags"));
        Assert.Equal(FeatureFlags(("a", false), ("b", false)), Flags("assistant-api-r2-flags"));
    }

    private static Dictionary<string, bool> FeatureFlags(params (string Name, bool On)[] flags) => flags.ToDictionary(static f => f.Name, static f => f.On);

    private IReadOnlyDictionary<string, bool>? Flags(string name) =>
        Operator.FeatureFlags.FlagFiles.Read(Bed.Api.All<V1ConfigMap>().Single(c => c.Name() == name).Data);

    private static string FullSpec(string host) => """
        {"spec":{"components":[{"name":"api","ports":[{"name":"http","port":8000}],"template":{"spec":{"containers":[{"name":"api","image":"i"}]}}}],
         "traffic":{"gatewayApi":{"parentRefs":[{"name":"public","namespace":"gateways"}],"hostnames":["HOST"]}}}}
        """.Replace("HOST", host, StringComparison.Ordinal);

    private void PutStatus() => Bed.Api.Change<V1HTTPRoute>("assistant", """{"status":{"parents":[]}}""");
}
