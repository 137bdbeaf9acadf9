using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Oracles;

/// <summary>An oracle that cannot fail proves nothing: each invariant, broken on purpose.</summary>
public sealed class InvariantTests
{
    private readonly Story _story = new();

    [Fact]
    public void Rollout_by_the_book_breaks_nothing()
    {
        _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(90, 10).Status(canary: "new", step: 1, weight: 50, state: "Holding").Flags("api-2", on: true).Route(50, 50);
        Assert.Empty(_story.Broken());
    }

    [Fact]
    public void Weight_before_its_step_is_in_status() => Expect("S1", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(50, 50));

    [Fact]
    public void Weight_sent_before_the_status_was_answered() => Expect("S1", _story
        .Status(canary: "new", step: 0, weight: 10, state: "Holding").Status(canary: "new", step: 1, weight: 50, state: "Shifting", answeredLate: true).Route(50, 50));

    [Fact]
    public void Weight_in_a_second_rule() => Expect("S1", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(90, 10, second: 50));

    [Fact]
    public void Weight_raised_again_after_a_hand_lowered_it() =>
        Expect("S2", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Route(50, 50).Hand(100, 0).Status(canary: "new", step: 1, weight: 50, state: "Holding", failed: "new").Route(50, 50));

    [Fact]
    public void Flag_of_stable_that_it_was_not_promoted_with() => Expect("S6", _story.Status(canary: "", step: 0, weight: 10, state: "").Flags("api-1", on: true));

    [Fact]
    public void Write_to_what_somebody_else_owns() =>
        Expect("S7", _story.Write("patch", "services", "assistant-api-1", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "assistant-api-1" } }));

    [Fact]
    public void Weight_for_what_is_no_canary() => Expect("S1", _story.Status(canary: "", step: 0, weight: 10, state: "Shifting").Route(90, 10));

    [Fact]
    public void Weight_for_what_was_taken_back() =>
        Expect("S2", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Route(90, 10).Status(canary: "new", step: 1, weight: 50, state: "Holding", failed: "new").Route(50, 50));

    [Fact]
    public void Weight_without_a_ready_address() => Expect("S3", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(90, 10, addresses: 0));

    [Fact]
    public void Weight_with_a_pod_missing() => Expect("S3", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(90, 10, available: 1, wanted: 2));

    [Fact]
    public void Weight_back_to_a_stable_that_is_not_there() => Expect("S3", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Route(50, 50).Route(100, 0, stableAddresses: 0));

    [Fact]
    public void Weights_that_do_not_sum_to_100() => Expect("S4", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(80, 10));

    [Fact]
    public void Backend_that_is_not_there() => Expect("S4", _story.Status(canary: "new", step: 0, weight: 10, state: "Shifting").Route(90, 10, exists: false));

    [Fact]
    public void Deletion_of_what_stable_needs() => Expect("S5", _story.Status(canary: "", step: 0, weight: 10, state: "").Write("delete", "deployments", "assistant-api-1"));

    [Theory]
    [InlineData("services", "assistant-api-2")]
    [InlineData("deployments", "assistant-api-2")]
    [InlineData("configmaps", "assistant-api-2-flags")]
    public void Deletion_of_what_the_route_still_sends_requests_to_though_it_was_taken_back(string resource, string name) => Expect(
        "S5", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Route(50, 50).Status(canary: "", step: 1, weight: 50, state: "", failed: "new").Write("delete", resource, name));

    [Fact]
    public void Deletion_of_a_Service_that_the_route_still_names() =>
        Expect("S4", _story.Status(canary: "", step: 1, weight: 50, state: "", failed: "new").Hand(100, 0).Write("delete", "services", "assistant-api-2"));

    [Fact]
    public void Deletion_that_nobody_looked_at_the_route_before() => Expect("S5", _story.Write("delete", "deployments", "assistant-api-3", isSeen: false));

    [Fact]
    public void Deletion_of_what_gets_nothing_any_more_breaks_nothing() => Assert.Empty(
        _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Route(50, 50).Status(canary: "", step: 1, weight: 50, state: "", failed: "new").Route(100, 0).Write("delete", "deployments", "assistant-api-2").Broken());

    [Fact]
    public void Stable_that_is_scaled_down() => Expect("S3", _story.Status(canary: "new", step: 0, weight: 10, state: "Scaling").Patch("assistant-api-1", "replicas", 0));

    [Fact]
    public void Stable_that_is_made_again_with_too_few_pods() => Expect(
        "S3", _story.Status(canary: "new", step: 0, weight: 10, state: "Scaling").Write("create", "deployments", "assistant-api-1", body: """{"spec":{"replicas":0}}"""));

    [Fact]
    public void Pods_template_that_is_written_again() => Expect("S5", _story.Status(canary: "new", step: 0, weight: 10, state: "Scaling").Patch("assistant-api-2", "template", 0));

    [Fact]
    public void Canary_that_is_scaled_breaks_nothing() => Assert.Empty(_story.Status(canary: "new", step: 0, weight: 10, state: "Scaling").Patch("assistant-api-2", "replicas", 0).Broken());

    [Fact]
    public void Flag_before_its_step() => Expect("S6", _story.Status(canary: "new", step: 0, weight: 10, state: "Holding").Flags("api-2", on: true));

    [Fact]
    public void Flag_that_spec_switches_off_for_everybody() => Expect("S6", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding", disabled: true).Flags("api-2", on: true));

    [Fact]
    public void Flag_of_a_step_that_is_held_breaks_nothing() => Assert.Empty(_story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Flags("api-2", on: true).Broken());

    [Fact]
    public void Flag_while_its_step_still_shifts() => Expect("S6", _story.Status(canary: "new", step: 1, weight: 50, state: "Shifting").Flags("api-2", on: true));

    [Fact]
    public void Flag_that_stable_serves_already_is_no_news_of_a_canary() =>
        Assert.Empty(_story.Flags("api-1", on: true).Status(canary: "new", step: 0, weight: 10, state: "Scaling").Flags("api-2", on: true).Broken());

    [Fact]
    public void Flag_that_stable_serves_no_more_is_news_of_a_canary() => Expect(
        "S6", _story.Flags("api-1", on: true).Status(canary: "new", step: 0, weight: 10, state: "Scaling").Flags("api-1", on: false).Flags("api-2", on: true));

    [Fact]
    public void Release_that_was_taken_back_goes_with_its_flag_on() => Expect(
        "S6", _story.Status(canary: "new", step: 1, weight: 50, state: "Holding").Flags("api-2", on: true).Status(canary: "", step: 1, weight: 50, state: "", failed: "new").Write("delete", "deployments", "assistant-api-2"));

    [Fact]
    public void Release_that_was_taken_back_may_go_with_what_stable_serves_too() => Assert.Empty(
        _story.Flags("api-1", on: true).Status(canary: "new", step: 1, weight: 50, state: "Holding").Flags("api-2", on: true)
            .Status(canary: "", step: 1, weight: 50, state: "", failed: "new").Write("delete", "deployments", "assistant-api-2").Broken());

    [Fact]
    public void Write_to_what_is_not_ours() => Expect("S7", _story.Write("delete", "services", "somebody"));

    [Fact]
    public void Write_that_the_server_refused_is_no_deed() => Assert.Empty(_story.Write("delete", "services", "somebody", status: 409).Broken());

    private static void Expect(string rule, Story story) => Assert.Contains(story.Broken(), b => b.StartsWith(rule, StringComparison.Ordinal));

    /// <summary>Writes of an operator, made up.</summary>
    private sealed class Story
    {
        private readonly List<Deed> _deeds = [];
        private IReadOnlyList<IReadOnlyDictionary<string, int>> _weights = [];
        private int _order;

        public Story()
        {
            Release("old", "1");
            Release("new", "2");
            Route(100, 0);
        }

        public IReadOnlyList<string> Broken() => Invariants.Broken(_deeds);

        public Story Status(string canary, int step, int weight, string state, string failed = "", bool answeredLate = false, bool disabled = false)
        {
            var status = new JsonObject { ["stableRevision"] = "old", ["step"] = new JsonObject { ["index"] = step, ["name"] = "a", ["weight"] = weight, ["state"] = state } };
            if (canary.Length > 0) status["canaryRevision"] = canary;
            if (failed.Length > 0) status["failedRevision"] = failed;
            var flags = new JsonArray(new JsonObject { ["name"] = "replay", ["enabled"] = !disabled });
            Write("patch", "ragdeployments/status", "assistant", new JsonObject { ["spec"] = new JsonObject { ["featureFlags"] = new JsonObject { ["flags"] = flags } }, ["status"] = status });
            if (answeredLate) _deeds[^1].Ended += 100;
            return this;
        }

        public Story Route(int stable, int canary, int addresses = 1, int available = 1, int wanted = 1, bool exists = true, int stableAddresses = 1, int? second = null)
        {
            var backends = new JsonArray(new JsonObject { ["name"] = "assistant-api-1", ["weight"] = stable });
            if (canary > 0) backends.Add(new JsonObject { ["name"] = "assistant-api-2", ["weight"] = canary });
            var rules = new JsonArray(new JsonObject { ["backendRefs"] = backends });
            if (second is { } weight)
                rules.Add(new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = "assistant-api-1", ["weight"] = 100 - weight }, new JsonObject { ["name"] = "assistant-api-2", ["weight"] = weight }) });
            Write("patch", "httproutes", "assistant", new JsonObject { ["spec"] = new JsonObject { ["rules"] = rules } });
            var services = new Dictionary<string, int>(StringComparer.Ordinal) { ["assistant-api-1"] = stableAddresses };
            if (exists) services["assistant-api-2"] = addresses;
            _deeds[^1].Witness = new Witness(services, new Dictionary<string, (int, int)>(StringComparer.Ordinal) { ["assistant-api-2"] = (available, wanted) }, _weights);
            _weights = RuleWeights.Of(_deeds[^1].Answer);
            return this;
        }

        /// <summary>A hand's write, which no proxy sees.</summary>
        public Story Hand(int stable, int canary)
        {
            _weights = [new Dictionary<string, int>(StringComparer.Ordinal) { ["assistant-api-1"] = stable, ["assistant-api-2"] = canary }];
            return this;
        }

        public Story Flags(string revision, bool on) =>
            Write("patch", "configmaps", $"assistant-{revision}-flags", new JsonObject { ["data"] = new JsonObject { ["flags.env"] = $"FEATURE_REPLAY={(on ? "true" : "false")}\n" } });

        /// <summary>Changes one field of a Deployment's spec.</summary>
        public Story Patch(string name, string field, int value) => Write(
            "patch", "deployments", name, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(new JsonObject { ["kind"] = "RagDeployment" }) } },
            body: $$$"""{"spec":{"{{{field}}}":{{{value}}}}}""");

        public Story Write(string verb, string resource, string name, JsonObject? answer = null, int status = 200, string body = "{}", bool isSeen = true)
        {
            var call = new ApiCall(verb, resource, "ns", name, DryRun: false);
            var deed = new Deed { Began = ++_order, At = default, Call = call, Place = call.Key, Body = Encoding.UTF8.GetBytes(body), Life = 1, Ended = ++_order, Status = status };
            deed.Answer = JsonElement.Parse((answer ?? []).ToJsonString());
            if (verb == "delete" && isSeen)
                deed.Witness = new Witness(new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, (int, int)>(StringComparer.Ordinal), _weights);
            _deeds.Add(deed);
            return this;
        }

        private void Release(string hash, string revision) => Write(
            "create", "controllerrevisions", $"assistant-{hash}", new JsonObject { ["data"] = new JsonObject { ["hash"] = hash, ["components"] = $"api {revision}" } });
    }
}
