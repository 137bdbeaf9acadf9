using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;
using RagOperator.Operator.Admission;
using RagOperator.Operator.Admission.Certificates;
using RagOperator.Operator.Tests.Hosting;
using RagOperator.Operator.Tests.Support;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Admission;

/// <summary>Processes that share a Secret, on an API server in memory.</summary>
public sealed class KeyKeeperTests : IDisposable
{
    private static readonly NamespacedName s_secret = new("rag", "webhook");
    private readonly FakeApi _api = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Factory _factory = new();
    private readonly KeyMetrics _metrics;

    public KeyKeeperTests() => _metrics = new(_factory);

    public void Dispose()
    {
        _metrics.Dispose();
        _factory.Dispose();
    }

    [Fact]
    public async Task First_process_makes_the_Secret_and_tells_both_configurations_and_then_writes_nothing()
    {
        PutConfigurations();
        var one = new Replica(this);

        await one.SettleAsync();
        var written = _api.Accepted.ToList();
        await one.SettleAsync();

        Assert.Equal(["create secrets webhook", "patch mutatingwebhookconfigurations webhook", "patch validatingwebhookconfigurations webhook"], written.Order(StringComparer.Ordinal));
        Assert.Equal(written, _api.Accepted);
        Assert.True(one.Serving.IsThere && one.Stamps.HasKey);
        Assert.Equal(HealthVerdict.Healthy, one.Keeper.Check().Status);
        Assert.Equal(Keys().Bundle, Bundle("validatingwebhookconfigurations"));
        var webhook = Configuration("validatingwebhookconfigurations")["webhooks"]![1]!;
        Assert.Equal(("kept", "second"), ((string?)webhook["futureField"], (string?)webhook["name"]));
    }

    [Fact]
    public async Task Two_processes_that_start_at_once_end_with_the_same_keys()
    {
        var (one, two) = (new Replica(this), new Replica(this));
        // Both have read that there is nothing; the other one is the first to write.
        var raced = false;
        _api.Fault = r =>
        {
            if (r is not { Verb: "create", Resource: "secrets" } || raced) return null;
            raced = true;
            two.Keeper.PassAsync(default).GetAwaiter().GetResult();
            return null;
        };

        await one.SettleAsync();
        await two.SettleAsync();

        Assert.True(raced);
        var stamp = one.Stamps.Make("u", "abort/1", "ann", _time.GetUtcNow());
        Assert.NotNull(two.Stamps.Verify("u", "abort/1", stamp));
        Assert.Equal(one.Serving.EndsAt, two.Serving.EndsAt);
        Assert.Single(_api.Accepted, static a => a == "create secrets webhook");
    }

    [Fact]
    public async Task Renewal_that_two_processes_want_is_made_once()
    {
        var (one, two) = (new Replica(this), new Replica(this));
        await one.SettleAsync();
        await two.SettleAsync();
        _time.Advance(TimeSpan.FromDays(61));
        _api.Requests.Clear();
        var raced = false;
        _api.Fault = r =>
        {
            if (r is not { Verb: "patch", Resource: "secrets" } || raced) return null;
            raced = true;
            two.Keeper.PassAsync(default).GetAwaiter().GetResult();
            return null;
        };

        await one.SettleAsync();
        await two.SettleAsync();

        Assert.Single(_api.Accepted);
        Assert.Equal((_time.GetUtcNow().AddDays(90), _time.GetUtcNow().AddDays(90)), (one.Serving.EndsAt, two.Serving.EndsAt));
    }

    [Fact]
    public async Task Configuration_changed_by_a_hand_is_told_again_for_the_version_that_was_read()
    {
        PutConfigurations();
        var one = new Replica(this);
        await one.SettleAsync();
        Configuration("mutatingwebhookconfigurations")["webhooks"]![0]!["clientConfig"]!["caBundle"] = "eA==";
        _api.Requests.Clear();
        Assert.Equal(TimeSpan.FromSeconds(5), await one.Keeper.PassAsync(default)); // told this very moment: no contest with whoever wrote it
        Assert.Empty(_api.Writes);
        _time.Advance(TimeSpan.FromSeconds(5));

        await one.SettleAsync();

        var patch = Assert.Single(_api.Writes);
        Assert.Equal(("mutatingwebhookconfigurations", true), (patch.Resource, patch.Body!["metadata"]!["resourceVersion"] is not null));
        Assert.Equal(Keys().Bundle, Bundle("mutatingwebhookconfigurations"));
    }

    [Fact]
    public async Task Authority_that_is_followed_is_trusted_before_it_signs()
    {
        PutConfigurations();
        var one = new Replica(this);
        await one.SettleAsync();
        var old = Keys();
        _time.Advance(TimeSpan.FromDays(3650 * 2 / 3) - TimeSpan.FromDays(1));
        await one.SettleAsync(); // a certificate for the last days of the old authority's duty
        _time.Advance(TimeSpan.FromDays(2));

        await one.SettleAsync();
        var told = Keys();
        Assert.NotEqual(old.Authority, told.Authority);
        Assert.Contains(old.Authority!.Certificate.Trim(), Bundle("validatingwebhookconfigurations"), StringComparison.Ordinal);
        Assert.Contains(told.Authority!.Certificate.Trim(), Bundle("validatingwebhookconfigurations"), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(2));
        await one.SettleAsync();
        Assert.NotEqual(told.Serving, Keys().Serving);
        _time.Advance(TimeSpan.FromDays(92));
        await one.SettleAsync();
        Assert.DoesNotContain(old.Authority.Certificate.Trim(), Bundle("validatingwebhookconfigurations"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secret_that_cannot_be_read_leaves_what_is_known_in_use_and_is_told()
    {
        var one = new Replica(this);
        await one.SettleAsync();
        _api.Fault = static r => r.Resource == "secrets" ? new Fault(ApiReason.Forbidden, 403, "secrets is forbidden") : null;

        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 10; i++) pauses.Add(await one.Keeper.PassAsync(default));

        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)), (pauses[0], pauses[^1]));
        Assert.Equal(HealthVerdict.Degraded, one.Keeper.Check().Status);
        Assert.Contains("secrets is forbidden", one.Keeper.Check().Detail, StringComparison.Ordinal);
        Assert.True(one.Serving.IsThere);
    }

    [Fact]
    public async Task Secret_whose_owner_keeps_certificates_elsewhere_holds_the_stamps_key_only()
    {
        var stamps = new RequestStamps();
        var keeper = new KeyKeeper(_api, s_secret, new KeyPlan([]), null, null, stamps, _metrics, _time, NullLogger<KeyKeeper>.Instance);

        while (await keeper.PassAsync(default) < TimeSpan.FromMinutes(1)) { }

        Assert.True(stamps.HasKey);
        Assert.Equal(["stamp.key"], _api.Raw<V1Secret>("webhook")!["data"]!.AsObject().Select(static d => d.Key));
    }

    private void PutConfigurations()
    {
        foreach (var plural in (string[])["validatingwebhookconfigurations", "mutatingwebhookconfigurations"])
        {
            _api.PutCluster(plural, Sample.Object("""
                {"metadata":{"name":"webhook"},"webhooks":[
                 {"name":"first","clientConfig":{"service":{"name":"webhook","namespace":"rag"}}},
                 {"name":"second","futureField":"kept","clientConfig":{"service":{"name":"webhook","namespace":"rag"},"caBundle":"eA=="}}]}
                """));
        }
    }

    private JsonObject Configuration(string plural) => _api.RawCluster(plural, "webhook")!;

    private string Bundle(string plural) =>
        Assert.Single(Configuration(plural)["webhooks"]!.AsArray().Select(static w => Encoding.ASCII.GetString(Convert.FromBase64String((string?)w!["clientConfig"]!["caBundle"] ?? ""))).Distinct());

    private WebhookKeys Keys() => WebhookKeys.Of(_api.All<V1Secret>().Single());

    private sealed class Replica
    {
        public Replica(KeyKeeperTests test) => Keeper = new KeyKeeper(
            test._api,
            s_secret,
            new KeyPlan(["webhook.rag.svc"]),
            new WebhookConfigurations(test._api, "webhook", NullLogger<WebhookConfigurations>.Instance),
            Serving,
            Stamps,
            test._metrics,
            test._time,
            NullLogger<KeyKeeper>.Instance);

        public ServingCertificate Serving { get; } = new();

        public RequestStamps Stamps { get; } = new();

        public KeyKeeper Keeper { get; }

        /// <summary>Looks until there is nothing to do for a while.</summary>
        public async Task SettleAsync()
        {
            for (var looks = 0; await Keeper.PassAsync(default) < TimeSpan.FromSeconds(30); looks++) Assert.InRange(looks, 0, 10);
        }
    }
}
