using RagOperator.ClusterTests.Infrastructure;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Leadership;

/// <summary>How soon another leads, after a crash and after a clean stop, and how soon it works. Alone: it is about times.</summary>
[Collection(AloneCollection.Name)]
public sealed class TakeoverTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [SkippableTheory]
    [InlineData("leader killed, lease 15 s", "takeover-default", 15, "10s", "2s", 1)]
    [InlineData("leader killed, lease 3 s", "takeover-short", 3, "2s", "500ms", 3)]
    public async Task Crash_is_followed_within_the_lease_and_a_second_by_one_that_works_at_once(string className, string space, int lease, string deadline, string retry, int usual)
    {
        await using var pair = await OperatorPair.CreateAsync(space, ($"{lease}s", deadline, retry));
        var runs = new RepeatedRuns(className, usual, output);
        await runs.RunAsync(async run =>
        {
            var (old, leader, _, standbyPort) = await pair.LeaderAsync();
            Assert.Equal("ok\n", await OperatorPair.GetAsync(standbyPort, "/readyz"));
            Assert.Contains("ragoperator_leader 0", await OperatorPair.GetAsync(standbyPort, "/metrics"), StringComparison.Ordinal);
            var killed = TimeProvider.System.GetUtcNow();
            await leader.KillAsync();
            // While nobody leads: the next leader's first work.
            await pair.Space.Bed.ApplyAsync(Unaccepted(pair.Space.Namespace, run));
            var applied = TimeProvider.System.GetUtcNow();

            var (next, at) = await pair.SuccessorAsync(old, TimeSpan.FromSeconds(lease) + TimeSpan.FromSeconds(10));
            runs.Measured("takeover min/median/max", (at - killed).TotalSeconds);
            await pair.Space.CheckAsync(at - killed <= TimeSpan.FromSeconds(lease) + s_second, $"{next} followed only after {at - killed}");
            Assert.Contains("ragoperator_leader 1", await OperatorPair.GetAsync(standbyPort, "/metrics"), StringComparison.Ordinal);
            await FirstWorkAsync(pair, runs, next, at > applied ? at : applied);
            await pair.Space.CheckAsync(pair.Writes(old).All(w => w.At <= killed + s_second), "the dead one wrote");
        }, pair.ReadyAsync);
    }

    [SkippableFact]
    public async Task Clean_stop_is_followed_within_a_second()
    {
        await using var pair = await OperatorPair.CreateAsync("takeover-stop", ("15s", "10s", "2s"));
        var runs = new RepeatedRuns("leader stopped cleanly, lease 15 s", 3, output);
        await runs.RunAsync(async run =>
        {
            var (old, leader, _, _) = await pair.LeaderAsync();
            var asked = TimeProvider.System.GetUtcNow();
            Assert.Equal(0, await leader.TerminateAsync(TimeSpan.FromSeconds(10)));
            var (next, at) = await pair.SuccessorAsync(old, TimeSpan.FromSeconds(10));
            runs.Measured("takeover min/median/max", (at - asked).TotalSeconds);
            await pair.Space.CheckAsync(at - asked < s_second, $"{next} followed only after {at - asked}");
            // Given back after the last work, not before.
            var released = pair.LeaseWrites(old)[^1].At;
            await pair.Space.CheckAsync(pair.Writes(old).All(w => w.At <= released), "it worked on after it had given the Lease back");
            await pair.Space.Bed.ApplyAsync(Unaccepted(pair.Space.Namespace, run));
            await FirstWorkAsync(pair, runs, next, TimeProvider.System.GetUtcNow());
        }, pair.ReadyAsync);
    }

    private static async Task FirstWorkAsync(OperatorPair pair, RepeatedRuns runs, string next, DateTimeOffset since)
    {
        await pair.Space.UntilAsync(() => Task.FromResult(pair.Writes(next).Count > 0), TimeSpan.FromSeconds(15), $"{next} works");
        var first = pair.Writes(next)[0].At - since;
        runs.Measured("first work after that", first.TotalSeconds);
        await pair.Space.CheckAsync(first < s_second * 5, $"{next} began only after {first}: its caches were cold");
    }

    /// <summary>Nothing but its status is written of it: no pods.</summary>
    private static string Unaccepted(string ns, int run) => $$"""
        apiVersion: ragoperator.dev/v1alpha1
        kind: RagDeployment
        metadata: {name: unaccepted-{{run}}, namespace: {{ns}}}
        spec:
          components:
            - name: api
              dependsOn: [nobody]
              ports: [{name: http, port: 8000}]
              template:
                spec:
                  containers: [{name: api, image: "rag-sample:1.0"}]
          traffic:
            gatewayApi: {parentRefs: [{name: public, namespace: gateways}], hostnames: [x.example.com]}
        """;
}
