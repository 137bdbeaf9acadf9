using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Views;

/// <summary>The samples on the real API server.</summary>
public sealed class SampleTests
{
    public static TheoryData<string> Samples { get; } = [.. Directory.EnumerateFiles(Path.Combine(ClusterBed.Repository, "samples"), "*.yaml").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [SkippableTheory]
    [MemberData(nameof(Samples))]
    public async Task Sample_is_taken_by_the_API_server(string file)
    {
        await using var space = await TestSpace.CreateAsync($"sample-{Path.GetFileNameWithoutExtension(file)}");
        var yaml = Of(file, space);

        var applied = (await space.Bed.KubectlWithInputAsync(yaml, "apply", "--dry-run=server", "-f", "-", "-o", "json")).OrThrow();

        // Not one field of it was unknown to the schema and dropped.
        var answered = System.Text.Json.Nodes.JsonNode.Parse(applied.Out)!["spec"]!.AsObject();
        var given = System.Text.Json.Nodes.JsonNode.Parse((await space.Bed.KubectlWithInputAsync(yaml, "create", "--dry-run=client", "--validate=false", "-f", "-", "-o", "json")).OrThrow().Out)!["spec"]!.AsObject();
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(given, answered), $"{given}\nbecame\n{answered}");

        // And the operator takes it: its images are examples and never come up, but nothing in it is refused.
        await space.Bed.ApplyAsync(yaml);
        var status = await space.UntilAsync(s => s.ObservedGeneration >= 1, TestSpace.Patience, $"{file} is read");
        Assert.DoesNotContain(status.Conditions!, c => c.Type == "Stalled");
        Assert.Equal("install", status.Step?.Name);
    }

    [SkippableFact]
    public async Task Minimal_sample_installs_and_serves()
    {
        await using var space = await TestSpace.CreateAsync("minimal");
        var yaml = Of("minimal.yaml", space)
            .Replace("parentRefs:", $"hostnames: [{space.Host}]\n      parentRefs:", StringComparison.Ordinal)
            .Replace("image: registry.example/api:2.0", "image: rag-sample:1.0\n              imagePullPolicy: Never\n              args: [embedder]\n              env: [{name: PORT, value: \"8000\"}]", StringComparison.Ordinal);
        await space.Bed.ApplyAsync(yaml);
        var status = await space.UntilAsync(s => s.Phase == "Healthy", TestSpace.Patience, "minimal.yaml is installed");
        Assert.Equal("Unknown", status.Conditions!.Single(c => c.Type == "SlaMet").Status);
        await space.UntilAsync(async () => (await space.AskAsync("/readyz")).Status == 200, TestSpace.Patience, "it serves");
    }

    private static string Of(string file, TestSpace space) =>
        File.ReadAllText(Path.Combine(ClusterBed.Repository, "samples", file)).Replace("namespace: rag\n", $"namespace: {space.Namespace}\n", StringComparison.Ordinal)
            .Replace("namespace: rag}", $"namespace: {space.Namespace}}}", StringComparison.Ordinal);
}
