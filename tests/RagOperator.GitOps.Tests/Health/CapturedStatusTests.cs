using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.GitOps.Tests.Health;

/// <summary>Objects captured from real runs (StatusCaptureTests in RagOperator.FaultTests makes them), and what each tool says of them.</summary>
public sealed class CapturedStatusTests
{
    public static TheoryData<string> Names { get; } = [.. Expected.All.Select(static e => e.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public Task Captured_status_has_the_health_and_the_actions_that_the_docs_promise(string name) => Expected.Of(name).CheckAsync(Read(name), Repository.Root);

    [Fact]
    public void Every_capture_is_expected_and_every_phase_is_captured()
    {
        var files = Directory.EnumerateFiles(Path.GetDirectoryName(Expected.FileOf(Repository.Root, "x"))!, "*.json").Select(static f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);
        Assert.Equal(Expected.All.Select(static e => e.Name).Order(StringComparer.Ordinal), files);
        var phases = Expected.All.Select(static e => Read(e.Name).GetProperty("status")).Select(static s => s.TryGetProperty("phase", out var phase) ? phase.GetString()! : "").Distinct(StringComparer.Ordinal);
        Assert.Equal(["", "Degraded", "Healthy", "Progressing", "Suspended"], phases.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Captured_conditions_are_those_of_the_phase_and_of_this_generation(string name)
    {
        var item = Read(name);
        var (metadata, status) = (item.GetProperty("metadata"), item.GetProperty("status"));
        if (status.GetProperty("observedGeneration").GetInt64() != metadata.GetProperty("generation").GetInt64())
            return; // an older generation's words, which nobody may take for this one's
        var (phase, rolledBack) = (status.GetProperty("phase").GetString(), name == "rolled-back");
        Assert.Equal(
            phase switch
            {
                "Healthy" => "Promoted=True Ready=True RolledBack=False",
                "Degraded" => $"Promoted=False Ready=False RolledBack={(rolledBack ? "True" : "False")} Stalled=True",
                _ => "Promoted=False Ready=False Reconciling=True RolledBack=False",
            },
            string.Join(' ', Conditions(status).Where(static c => c.Type is not ("Available" or "SlaMet")).Select(static c => $"{c.Type}={c.Status}").Order(StringComparer.Ordinal)));
        Assert.All(Conditions(status), c => Assert.Equal(metadata.GetProperty("generation").GetInt64(), c.Generation));
        Assert.All(Conditions(status).Where(static c => c.Type == "Stalled"), c => Assert.Equal(rolledBack ? "RolledBack" : "InvalidSpec", c.Reason));
    }

    [SkippableFact]
    public async Task Health_of_an_object_without_any_status_is_progressing()
    {
        var bare = JsonElement.Parse("""{"metadata": {"generation": 1}, "spec": {}}""");
        foreach (var script in (string[])["health", "health-holding"])
            Assert.Equal("Progressing", (await LuaHost.RunInAllAsync(Expected.Script(Repository.Root, script), bare)).GetProperty("status").GetString());
    }

    /// <summary>A step's state says Holding whatever the rollout waits for; only a hold that runs may be called Healthy.</summary>
    [SkippableTheory]
    [InlineData("Progressing", true, "Healthy")]
    [InlineData("Progressing", false, "Progressing")]
    [InlineData("Suspended", true, "Suspended")]
    [InlineData("Suspended", false, "Suspended")]
    [InlineData("Degraded", true, "Degraded")]
    public async Task Holding_is_healthy_only_while_its_clock_runs_and_nothing_else_is_waited_for(string phase, bool runs, string expected)
    {
        var item = JsonNode.Parse(Read("holding").GetRawText())!;
        item["status"]!["phase"] = phase;
        if (!runs) item["status"]!["step"]!.AsObject().Remove("holdUntil");
        var health = await LuaHost.RunInAllAsync(Expected.Script(Repository.Root, "health-holding"), JsonElement.Parse(item.ToJsonString()));
        Assert.Equal(expected, health.GetProperty("status").GetString());
    }

    [SkippableTheory]
    [InlineData("approve", "waiting-for-approval", "approve/{canaryRevision}/half")]
    [InlineData("promote", "holding", "promote/{canaryRevision}")]
    [InlineData("pause", "installing", "pause/{canaryRevision}")]
    [InlineData("resume", "paused", "resume/{canaryRevision}")]
    [InlineData("abort", "scaling", "abort/{canaryRevision}")]
    [InlineData("retry", "rolled-back", "retry/{failedRevision}")]
    public async Task Action_changes_nothing_but_the_annotation(string action, string at, string request)
    {
        var item = Read(at);
        var status = item.GetProperty("status");
        foreach (var field in (string[])["canaryRevision", "failedRevision"])
            request = request.Replace($"{{{field}}}", status.TryGetProperty(field, out var hash) ? hash.GetString() : "", StringComparison.Ordinal);
        var changed = await LuaHost.RunInAllAsync(Expected.Script(Repository.Root, $"actions/{action}"), item);

        var expected = JsonNode.Parse(item.GetRawText())!;
        var metadata = expected["metadata"]!.AsObject();
        var annotations = metadata["annotations"]?.AsObject();
        if (annotations is null)
            metadata["annotations"] = annotations = [];
        annotations["ragoperator.dev/request"] = request;
        Assert.Equal(Canonical(JsonElement.Parse(expected.ToJsonString())), Canonical(changed));
    }

    /// <summary>Members in order, and an empty list for an empty object: Lua knows no difference, and Argo CD puts it right.</summary>
    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object when !value.EnumerateObject().Any() => "[]",
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().OrderBy(static m => m.Name, StringComparer.Ordinal).Select(static m => $"{m.Name}:{Canonical(m.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Canonical))}]",
        JsonValueKind.Number => $"{value.GetDouble():R}",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    private static IEnumerable<(string Type, string Status, string Reason, long Generation)> Conditions(JsonElement status) => status.GetProperty("conditions").EnumerateArray().Select(
        static c => (c.GetProperty("type").GetString()!, c.GetProperty("status").GetString()!, c.GetProperty("reason").GetString()!, c.GetProperty("observedGeneration").GetInt64()));

    private static JsonElement Read(string name) => JsonElement.Parse(File.ReadAllText(Expected.FileOf(Repository.Root, name)));
}
