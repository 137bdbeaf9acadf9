using System.Globalization;
using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Operation;

/// <summary>Where nothing happens the operator does nothing. <c>IDLE_MINUTES</c> sets for how long that is watched: 5 by default.</summary>
public sealed class IdleTests(ITestOutputHelper output)
{
    private const int Count = 10;

    [SkippableFact]
    public async Task Ten_healthy_objects_cost_no_write_and_no_read_but_the_watches()
    {
        await using var space = await TestSpace.CreateAsync("idle", "--probe.connect", "false");
        for (var i = 0; i < Count; i++)
            await space.Bed.ApplyAsync(Pausing(space, $"idle-{i}"));
        for (var i = 0; i < Count; i++)
            await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "Healthy", $"idle-{i}");
        // Until the last write of the installs is behind it.
        var begin = TimeProvider.System.GetUtcNow();
        await space.UntilAsync(() =>
        {
            var last = Requests(space, begin).Where(r => r.Verb != "watch").Select(r => r.At).DefaultIfEmpty(begin).Max();
            return Task.FromResult(TimeProvider.System.GetUtcNow() - last > TimeSpan.FromSeconds(5));
        }, TimeSpan.FromSeconds(60), "quiet for 5 seconds");

        var minutes = double.TryParse(Environment.GetEnvironmentVariable("IDLE_MINUTES"), NumberStyles.Float, CultureInfo.InvariantCulture, out var m) ? m : 5;
        begin = TimeProvider.System.GetUtcNow();
        await space.StaysAsync(() => Task.FromResult(space.Operator.Pid is not null), TimeSpan.FromMinutes(minutes));

        var requests = Requests(space, begin);
        foreach (var group in requests.GroupBy(r => $"{r.Verb} {r.Uri.Split('?')[0]}", StringComparer.Ordinal))
            output.WriteLine($"{group.Count()} x {group.Key}");
        // A watch that ends (the server ends each after some minutes) is begun again.
        Assert.DoesNotContain(requests, r => r.Verb != "watch");
        Assert.InRange(requests.Count, 0, (int)Math.Ceiling(minutes * 8));
        // The log would show a request if there was one: the lists at the start are in it, and the writes.
        var all = Requests(space, DateTimeOffset.MinValue);
        Assert.Contains(all, r => r.Verb == "list");
        Assert.Contains(all, r => r.Verb == "create");
    }

    private static List<(DateTimeOffset At, string Verb, string Uri)> Requests(TestSpace space, DateTimeOffset since)
    {
        var requests = new List<(DateTimeOffset, string, string)>();
        using var stream = new FileStream(space.Bed.AuditLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.Contains("\"userAgent\":\"rag-operator", StringComparison.Ordinal) || !line.Contains("/namespaces/idle/", StringComparison.Ordinal) || !line.EndsWith('}'))
                continue;
            var entry = JsonElement.Parse(line);
            var at = entry.GetProperty("requestReceivedTimestamp").GetDateTimeOffset();
            if (at >= since && entry.Text("stage") == "ResponseComplete")
                requests.Add((at, entry.Text("verb"), entry.Text("requestURI")));
        }

        return requests;
    }

    private static string Pausing(TestSpace space, string name) => $$"""
        apiVersion: ragoperator.dev/v1alpha1
        kind: RagDeployment
        metadata:
          name: {{name}}
          namespace: {{space.Namespace}}
        spec:
          components:
            - name: api
              ports: [{name: http, port: 8000}]
              template:
                spec:
                  terminationGracePeriodSeconds: 0
                  containers: [{name: api, image: "registry.local/pause:1", imagePullPolicy: Never}]
          traffic:
            gatewayApi:
              parentRefs: [{name: public, namespace: gateways}]
              hostnames: [{{name}}.example.com]
        """;
}
