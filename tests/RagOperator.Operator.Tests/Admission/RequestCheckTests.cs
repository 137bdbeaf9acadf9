using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Operator.Admission;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Admission;

public sealed class RequestCheckTests : IAccessReviewer
{
    private readonly List<string> _asked = [];
    private readonly RequestStamps _stamps = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RequestCheck _check;
    private Access _access = Access.Allowed;

    public RequestCheckTests()
    {
        _stamps.Use(RandomNumberGenerator.GetBytes(RequestStamps.KeyLength));
        _check = new RequestCheck(this, _stamps, _time, NullLogger<RequestCheck>.Instance);
    }

    [Theory]
    [InlineData("approve/3/canary", null)]
    [InlineData("abort/current", "v1.1.x root")]
    public async Task New_request_is_authorised_and_stamped_over_whatever_was_written(string request, string? forged)
    {
        var patch = await PatchAsync(Reviews.Asking(null), Reviews.Asking(request, forged));

        Assert.Equal([$"jane {request.Split('/')[0]} rag/assistant"], _asked);
        Assert.Equal(("add", "/metadata/annotations/ragoperator.dev~1requested-by"), ((string?)patch!["op"], (string?)patch["path"]));
        Assert.Equal(new RequestStamp("jane", _time.GetUtcNow()), _stamps.Verify(Reviews.Uid, request, (string?)patch["value"]));
    }

    [Theory]
    [InlineData("approve/3/canary", null)]
    [InlineData("abort/current", "v1.1.x root")]
    public async Task Dry_run_is_authorised_like_any_write_and_shows_a_stamp_that_proves_nothing(string request, string? forged)
    {
        var tried = Reviews.Of(Reviews.Asking(null), Reviews.Asking(request, forged)) with { DryRun = true };

        var patch = Steps(await _check.MutateAsync(tried, default));
        _access = Access.Denied;
        var refused = await _check.MutateAsync(tried, default);

        Assert.Equal(2, _asked.Count);
        Assert.Equal(403, refused.Status!.Code);
        Assert.Equal(("add", "/metadata/annotations/ragoperator.dev~1requested-by"), ((string?)patch!["op"], (string?)patch["path"]));
        var stamp = (string?)patch["value"];
        Assert.Equal($"v1.{_time.GetUtcNow().ToUnixTimeMilliseconds()}.dry-run jane", stamp);
        Assert.Null(_stamps.Verify(Reviews.Uid, request, stamp));
    }

    [Fact]
    public async Task Request_of_somebody_without_the_verb_is_refused_with_what_would_give_it()
    {
        _access = Access.Denied;

        var answer = await _check.MutateAsync(Reviews.Of(Reviews.Asking("pause/1"), Reviews.Asking("promote/1")), default);

        Assert.Equal((false, 403), (answer.Allowed, answer.Status!.Code));
        Assert.All((string[])["\"jane\"", "\"promote\"", "\"assistant\"", "namespace \"rag\"", "verbs: [promote]"], word => Assert.Contains(word, answer.Status.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("abort/1", true)]
    [InlineData("pause/1", true)]
    [InlineData("approve/1/canary", false)]
    [InlineData("promote/1", false)]
    [InlineData("retry/1", false)]
    [InlineData("resume/1", false)]
    public async Task Outage_keeps_nobody_from_abort_and_pause_and_everybody_from_the_rest(string request, bool passes)
    {
        _access = Access.Unknown;

        var answer = await _check.MutateAsync(Reviews.Of(Reviews.Asking(null), Reviews.Asking(request)), default);

        Assert.Equal(passes, answer.Allowed);
        Assert.Equal(passes ? null : 503, answer.Status?.Code);
    }

    [Fact]
    public async Task Request_of_no_known_verb_is_refused_and_nobody_asked()
    {
        var answer = await _check.MutateAsync(Reviews.Of(Reviews.Asking(null), Reviews.Asking("aprove/1")), default);

        Assert.Equal((false, 422), (answer.Allowed, answer.Status!.Code));
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData(null, null, null, "v1.x root", "remove", null)] // alone
    [InlineData("abort/1", "s", "abort/1", "x", "add", "s")] // changed
    [InlineData("abort/1", "s", "abort/1", null, "add", "s")] // removed
    [InlineData("abort/1", null, "abort/1", "x", "remove", null)] // added to one from before the webhook
    [InlineData("abort/1", "s", null, "s", "remove", null)] // cleared, by the operator too: nobody is asked
    [InlineData("abort/1", "s", null, null, null, null)]
    [InlineData("abort/1", "s", "abort/1", "s", null, null)] // any other write
    [InlineData(null, null, null, null, null, null)]
    public async Task Stamp_follows_its_request_and_nobody_else(string? request, string? stamp, string? newRequest, string? newStamp, string? op, string? value)
    {
        var patch = await PatchAsync(Reviews.Asking(request, stamp), Reviews.Asking(newRequest, newStamp));

        Assert.Equal((op, value), ((string?)patch?["op"], (string?)patch?["value"]));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task New_object_loses_a_stamp_and_its_request_is_left_for_the_operator_to_refuse()
    {
        var patch = await PatchAsync(null, Reviews.Asking("approve/1/canary", "v1.1.x root"));

        Assert.Equal("remove", (string?)patch!["op"]);
        Assert.Null(await PatchAsync(null, Reviews.Asking("approve/1/canary")));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Without_a_key_nobodys_word_stands()
    {
        var check = new RequestCheck(this, new RequestStamps(), _time, NullLogger<RequestCheck>.Instance);

        var answer = await check.MutateAsync(Reviews.Of(Reviews.Asking(null), Reviews.Asking("abort/1", "v1.1.x root")), default);

        Assert.True(answer.Allowed);
        Assert.Equal("remove", (string?)Steps(answer)!["op"]);
    }

    [Fact]
    public async Task Object_that_is_being_deleted_is_let_through()
    {
        var going = Reviews.Asking("approve/1/canary");
        going["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        _access = Access.Denied;

        Assert.True((await _check.MutateAsync(Reviews.Of(Reviews.Asking(null), going), default)).Allowed);
    }

    [Theory]
    [InlineData("Allowed", null)]
    [InlineData("Denied", 403)]
    [InlineData("Unknown", 503)]
    public async Task Approval_taken_off_the_running_step_takes_the_verb_approve(string access, int? code)
    {
        _access = Enum.Parse<Access>(access);

        var answer = await _check.ReviewApprovalAsync(Reviews.Of(Running("Required"), Running("NotRequired")), default);

        Assert.Equal(code, answer?.Status?.Code);
        Assert.Equal(["jane approve rag/assistant"], _asked);
    }

    [Theory]
    [InlineData("[{name: canary, weight: 5, approval: Required}, {name: full, weight: 100, flags: [replay]}]", null)] // as it was
    [InlineData("[{name: canary, weight: 5}, {name: full, weight: 100}]", "canary")]
    [InlineData("[{name: first, weight: 5}, {name: full, weight: 100}]", "canary")] // renamed
    [InlineData("[{name: first, weight: 5, approval: Required}, {name: full, weight: 100, flags: [replay]}]", null)] // renamed, and guarded
    [InlineData("[{name: full, weight: 100}]", "canary")] // gone
    [InlineData("[{name: a, weight: 1}, {name: b, weight: 4, approval: Required}, {name: full, weight: 100, flags: [replay]}]", null)] // goes on in b
    [InlineData("null", "canary")] // the default steps
    [InlineData("[{name: canary, weight: 100, approval: Required}]", "canary")] // all of it, and the approval only afterwards
    [InlineData("[{name: canary, weight: 6, approval: Required}, {name: full, weight: 100}]", "canary")]
    [InlineData("[{name: canary, weight: 4, approval: Required}, {name: full, weight: 100, flags: [replay]}]", null)] // less
    [InlineData("[{name: other, weight: 50, approval: Required}, {name: full, weight: 100}]", "canary")] // renamed, and goes on in a heavier first step
    [InlineData("[{name: canary, weight: 5, approval: Required, flags: [replay]}, {name: full, weight: 100}]", "canary")] // a later step's flag
    [InlineData("[{name: zero, weight: 1, flags: [replay]}, {name: canary, weight: 5, approval: Required}, {name: full, weight: 100}]", "canary")]
    [InlineData("[{name: canary, weight: 5, approval: Required}, {name: full, weight: 100, flags: []}]", "canary")] // no step names it any more: it is on at once
    public void Approval_is_gone_when_the_place_that_the_rollout_goes_on_from_has_none(string steps, string? freed)
    {
        var after = Running("Required");
        after["spec"]!["rollout"]!["steps"] = YamlJson.Parse(steps);

        Assert.Equal(freed, ApprovalGuard.StepFreed(Reviews.Element(Running("Required")), Reviews.Element(after)));
    }

    [Theory]
    [InlineData("""{"canaryRevision":null}""")] // nothing is rolled out
    [InlineData("""{"step":{"approved":true}}""")] // given already
    [InlineData("""{"step":{"name":"full","index":1}}""")] // in another step
    [InlineData("""{"step":{"index":-1}}""")] // a first install
    public void Approval_of_a_step_that_does_not_wait_for_it_may_go(string status)
    {
        var before = Running("Required");
        before["status"] = Operator.Json.MergePatch.Apply(JsonNode.Parse(status)!.AsObject(), before["status"]!.AsObject());

        Assert.Null(ApprovalGuard.StepFreed(Reviews.Element(before), Reviews.Element(Running("NotRequired"))));
    }

    Task<(Access Access, string Why)> IAccessReviewer.AskAsync(AdmissionUser user, string verb, NamespacedName key, CancellationToken cancellationToken)
    {
        _asked.Add($"{user.Username} {verb} {key}");
        return Task.FromResult((_access, "asked for by the test"));
    }

    private static JsonObject Running(string approval) => Reviews.Object(
        spec: $$$"""{"featureFlags":{"flags":[{"name":"replay","enabled":true}]},"rollout":{"steps":[{"name":"canary","weight":5,"approval":"{{{approval}}}"},{"name":"full","weight":100,"flags":["replay"]}]}}""",
        status: """{"observedGeneration":1,"canaryRevision":"abc","step":{"index":0,"name":"canary","weight":5,"state":"Waiting"}}""");

    private async Task<JsonNode?> PatchAsync(JsonNode? before, JsonNode after)
    {
        var answer = await _check.MutateAsync(Reviews.Of(before, after), default);
        Assert.True(answer.Allowed, answer.Status?.Message);
        return Steps(answer);
    }

    private static JsonNode? Steps(AdmissionResponse answer)
    {
        Assert.Equal(answer.Patch is null ? null : "JSONPatch", answer.PatchType);
        return answer.Patch is null ? null : Assert.Single(JsonNode.Parse(answer.Patch)!.AsArray());
    }
}
