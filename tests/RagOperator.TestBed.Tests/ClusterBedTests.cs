using System.Text.Json;

namespace RagOperator.TestBed.Tests;

/// <summary>That the bed tells the truth: everything else is judged by what it counts.</summary>
public sealed class ClusterBedTests(SampleServiceFixture sample) : IClassFixture<SampleServiceFixture>
{
    [SkippableTheory]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(100)]
    public async Task Gateway_weight_is_the_share_served(int weight)
    {
        var bed = BedOrSkip();
        await sample.SetWeightsAsync(100 - weight, weight);
        var mark = bed.Gateway.Mark();
        LoadResult result;
        await using (var load = LoadGenerator.Start(new Uri(bed.GatewayUrl, "/ask?q=chain"), SampleServiceFixture.Host, 100))
        {
            await bed.WaitUntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 500), TimeSpan.FromSeconds(60), "500 requests");
            result = await load.StopAsync();
            Assert.Equal(0, result.Lost);
        }

        // The gateway's clock has milliseconds: the first requests may count as under way at the mark. And it logs after it has answered.
        var least = result.Samples.Count - 10;
        await bed.WaitUntilAsync(() => Task.FromResult(bed.Gateway.Since(mark, SampleServiceFixture.Route).Total >= least), TimeSpan.FromSeconds(10), "all of them in the gateway's log");
        var counts = bed.Gateway.Since(mark, SampleServiceFixture.Route);
        Assert.InRange(counts.Share(service => service == SampleServiceFixture.Canary), weight - 1.0, weight + 1.0);
    }

    [SkippableFact]
    public async Task Gateway_serves_nothing_of_a_backend_whose_weight_0_it_confirmed()
    {
        var bed = BedOrSkip();
        await sample.SetWeightsAsync(50, 50);
        await using var load = LoadGenerator.Start(new Uri(bed.GatewayUrl, "/ask?q=chain"), SampleServiceFixture.Host, 100);
        await bed.WaitUntilAsync(() => Task.FromResult(load.Result.Samples.Count >= 50), TimeSpan.FromSeconds(10), "50 requests");
        await sample.SetWeightsAsync(100, 0);
        var mark = bed.Gateway.Mark();
        var before = load.Result.Samples.Count;
        await bed.WaitUntilAsync(() => Task.FromResult(load.Result.Samples.Count >= before + 300), TimeSpan.FromSeconds(20), "300 more requests");
        Assert.Equal(0, bed.Gateway.Since(mark).Share(service => service == SampleServiceFixture.Canary));
    }

    [SkippableFact]
    public async Task Gateway_loses_no_request_while_weights_and_pods_change()
    {
        var bed = BedOrSkip();
        await using var load = LoadGenerator.Start(new Uri(bed.GatewayUrl, "/ask?q=oil+{n}"), SampleServiceFixture.Host, 50);
        foreach (var weight in (int[])[5, 10, 50, 100])
        {
            await sample.SetWeightsAsync(100 - weight, weight);
            (await bed.KubectlAsync("scale", "deployment/sample-api-r1", weight == 50 ? "--replicas=1" : "--replicas=2")).OrThrow();
            await bed.WaitUntilAsync(async () => (await bed.ListAsync("pods", selector: "ragoperator.dev/component=api,ragoperator.dev/revision=r1")).Count == (weight == 50 ? 1 : 2),
                TimeSpan.FromSeconds(120), "api pods of r1 as many as wanted");
        }

        await sample.SetWeightsAsync(100, 0);
        var result = await load.StopAsync();
        Assert.True(result.Lost == 0 && result.Counts.Keys.All(key => key == "200"), result.ToString());
        Assert.True(result.Samples.Count > 100, result.ToString());
    }

    [SkippableFact]
    public async Task Gateway_names_a_backend_that_is_missing_and_answers_500_for_its_share()
    {
        var bed = BedOrSkip();
        await bed.ApplyAsync("""
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: broken}
            spec:
              parentRefs: [{name: public, namespace: gateways}]
              hostnames: [broken.example.com]
              rules: [{backendRefs: [{name: sample-api-r1, port: 8000}, {name: nobody, port: 8000}]}]
            """);
        await bed.WaitUntilAsync(async () =>
        {
            var route = await bed.GetAsync("httproute", "broken");
            var conditions = route!.Value.GetProperty("status").GetProperty("parents")[0].GetProperty("conditions");
            return (conditions.EnumerateArray().Any(condition => condition.GetProperty("reason").GetString() == "BackendNotFound"
                && condition.GetProperty("message").GetString()!.Contains("default/nobody", StringComparison.Ordinal)), conditions.ToString());
        }, TimeSpan.FromSeconds(10), "the missing Service is named");
        var statuses = new List<int>();
        for (var i = 0; i < 10; i++)
            statuses.Add((await bed.AskAsync("broken.example.com", "/ask?q=chain")).Status);
        Assert.Equal([200, 200, 200, 200, 200, 500, 500, 500, 500, 500], statuses.Order());
        (await bed.KubectlAsync("delete", "httproute", "broken")).OrThrow();
    }

    [SkippableFact]
    public async Task Gateway_refuses_a_route_when_told_to_and_goes_on_serving_the_old_weights()
    {
        var bed = BedOrSkip();
        await sample.SetWeightsAsync(100, 0);
        bed.Gateway.Refuse(SampleServiceFixture.Route);
        try
        {
            await sample.ApplyRouteAsync(50, 50);
            await bed.WaitUntilAsync(async () =>
            {
                var route = (await bed.GetAsync("httproute", "sample"))!.Value;
                var accepted = route.GetProperty("status").GetProperty("parents")[0].GetProperty("conditions").EnumerateArray().Single(condition => condition.GetProperty("type").GetString() == "Accepted");
                return (accepted.GetProperty("status").GetString() == "False"
                    && accepted.GetProperty("observedGeneration").GetInt64() == route.GetProperty("metadata").GetProperty("generation").GetInt64(), accepted.ToString());
            }, TimeSpan.FromSeconds(10), "Accepted=False");
            var mark = bed.Gateway.Mark();
            for (var i = 0; i < 20; i++)
                await bed.AskAsync(SampleServiceFixture.Host, "/ask?q=chain");
            Assert.Equal(100, bed.Gateway.Since(mark).Share(service => service == SampleServiceFixture.Stable));
        }
        finally
        {
            bed.Gateway.Heal();
        }

        await bed.WaitUntilAsync(sample.ServedAsync, TimeSpan.FromSeconds(10), "accepted again");
    }

    [SkippableFact]
    public async Task Gateway_lags_as_long_as_told()
    {
        var bed = BedOrSkip();
        await sample.SetWeightsAsync(100, 0);
        bed.Gateway.Lag(TimeSpan.FromSeconds(3));
        try
        {
            await sample.ApplyRouteAsync(90, 10);
            var start = TimeProvider.System.GetTimestamp();
            await bed.WaitUntilAsync(sample.ServedAsync, TimeSpan.FromSeconds(15), "served late");
            Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 2, 12);
        }
        finally
        {
            bed.Gateway.Heal();
        }
    }

    [SkippableFact]
    public async Task Prometheus_answers_by_the_revisions_Service_and_notices_its_own_absence()
    {
        var bed = BedOrSkip();
        Skip.If(Environment.GetEnvironmentVariable("BED_PROMETHEUS") == "no", "this bed has no Prometheus");
        await bed.AskAsync(SampleServiceFixture.Host, "/ask?q=chain");
        await bed.WaitUntilAsync(async () =>
        {
            var counted = await bed.QueryAsync("sum(http_requests_total{service=\"sample-api-r1\"})");
            return (counted > 0, $"counted {counted}; of {await bed.QueryAsync("count(up)")} targets {await bed.QueryAsync("sum(up)")} are up");
        }, TimeSpan.FromSeconds(15), "requests counted by service");
        await bed.Prometheus.StopAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => bed.QueryAsync("up"));
        var back = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await bed.Prometheus.StartAsync();
        await bed.WaitUntilAsync(async () => await bed.QueryAsync($"count(timestamp(up{{service=\"sample-api-r1\"}}) * 1000 > {back})") > 0, TimeSpan.FromSeconds(30), "Prometheus is back and scrapes");
    }

    [SkippableFact]
    public async Task Sample_answers_differently_once_its_flag_file_changes_without_a_restart()
    {
        var bed = BedOrSkip();
        await sample.SetWeightsAsync(100, 0);
        Assert.DoesNotContain("\"replayed\"", (await bed.AskAsync(SampleServiceFixture.Host, "/ask?q=brakes")).Body, StringComparison.Ordinal);
        await bed.ApplyAsync(SampleServiceFixture.Flags(replay: true));
        try
        {
            await bed.WaitUntilAsync(async () => (await bed.AskAsync(SampleServiceFixture.Host, "/ask?q=brakes")) is var answer && answer.Body.Contains("\"replayed\"", StringComparison.Ordinal)
                ? (true, "") : (false, answer.Body), TimeSpan.FromSeconds(60), "experience-replay shows in the answer");
            Assert.All(await bed.ListAsync("pods"), pod => Assert.Equal(0, Restarts(pod)));
        }
        finally
        {
            await bed.ApplyAsync(SampleServiceFixture.Flags(replay: false));
        }
    }

    private static int Restarts(JsonElement pod) => pod.GetProperty("status").GetProperty("containerStatuses").EnumerateArray().Sum(container => container.GetProperty("restartCount").GetInt32());

    private ClusterBed BedOrSkip()
    {
        Skip.IfNot(ClusterBed.HasPods, "needs a test bed with real pods: testbed run -- dotnet test");
        return sample.Bed!;
    }
}
