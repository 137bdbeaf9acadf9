using System.Text.Json;

namespace RagOperator.Demo;

/// <summary>The six acts, in order: each begins where the one before has ended.</summary>
internal static class Acts
{
    private const string Flag = "experience-replay";
    private const string Question = "flat tyre";

    /// <summary>From the deciding sample to weight 0: one interval and a second.</summary>
    private const double ReactionLimit = 6;

    public static IReadOnlyList<Act> All { get; } =
    [
        new(1, "First install",
            "A team applies its first RagDeployment. Watch the pods come up in the order of dependsOn: embedder and reranker, then the api above them.",
            "Healthy, all pods ready, answers through the gateway", "1-install.yaml", InstallAsync),
        new(2, "A good release",
            "The api gets a new image. Watch its share of the traffic rise in steps of 5, 10, 50 and 100%, each only once every metric has passed.",
            "5, 10, 50, 100% served; becomes stable", "2-better.yaml", GoodAsync),
        new(3, "A release that fails 5% of its requests",
            "The next image is bad. Watch error-rate: three breaches in a row, over a full window, and all traffic is back on stable.",
            "rolled back for error-rate", "3-failing.yaml", stage => BadAsync(stage, "error-rate")),
        new(4, "A release that is slow",
            "Another image answers, but takes its time. Watch latency-p95 do the same.",
            "rolled back for latency-p95", "4-slow.yaml", stage => BadAsync(stage, "latency-p95")),
        new(5, "A flag, on by step and off at once",
            "A flag is enabled, to be on from the step replay. Watch it appear in real answers; then an edit of one word takes it away everywhere, at once.",
            "on from its step, off without a rollout", "5a-flag-on.yaml", FlagAsync),
        new(6, "Only the embedder changes",
            "A new embedder image. Watch the pods: embedder and the api above it are new, the reranker is shared and not touched.",
            "embedder and api new, reranker shared", "6-embedder.yaml", EmbedderAsync),
    ];

    private static async Task<string> InstallAsync(Stage stage)
    {
        var end = await stage.UntilAsync(m => m.Phase == "Healthy" && m.IsTrue("Promoted"), 180, "the first install is Healthy");
        var pods = end.PodsByRevision().ToList();
        stage.Check(pods.Sum(p => p.Total) == 4 && pods.TrueForAll(p => p.Ready == p.Total), $"4 ready pods wanted, there are: {Shown.Pods(end)}");
        stage.Check(end.Wanted == 100, $"100% wanted on the route, there is {Shown.Wanted(end)}");
        var (status, body) = await stage.Load.AskAsync(Question, stage.CancellationToken);
        stage.Check(status == 200, $"the gateway answers {status}");
        stage.Note($"a question through the gateway: \"{Question}\"? {FirstSentence(Load.Text(body, "answer"))}");
        stage.Load.Start();
        stage.Note($"from here on {Load.Rate:0} requests a second go through the gateway");
        await stage.UntilMetricsAsync(60);
        return $"Healthy with {pods.Sum(p => p.Ready)} pods";
    }

    private static async Task<string> GoodAsync(Stage stage)
    {
        var before = stage.Now;
        var end = await stage.UntilPromotedAsync(before.Status.StableRevision, 180);
        var shares = stage.CheckShares(("canary", 5), ("tenth", 10), ("half", 50), ("full", 100));
        foreach (var component in (string[])["embedder", "reranker"])
            stage.Check(end.Fingerprint(component) == before.Fingerprint(component), $"pods of {component} were touched");
        return $"{shares} served; release {end.Status.Release} is stable";
    }

    private static async Task<string> BadAsync(Stage stage, string metric)
    {
        var before = stage.Now;
        var (errors, asked) = (stage.Load.Errors, stage.Load.Total);
        var end = await stage.UntilAsync(m => m.IsTrue("RolledBack") || m.Status.StableRevision != before.Status.StableRevision, 150, $"the release is rolled back for {metric}");
        var rollback = end.Status.Rollback;
        stage.Check(end.Phase == "Degraded" && end.Status.StableRevision == before.Status.StableRevision, $"the old release was to stay stable; phase {end.Phase}");
        stage.Check(rollback is { Cause: "SlaBreach" } && rollback.Message?.StartsWith($"metric {metric}:", StringComparison.Ordinal) == true, $"cause {rollback?.Cause}: {rollback?.Message}");
        var reaction = (end.Reactions ?? 0) - (before.Reactions ?? 0);
        stage.Check(end.Reactions is not null && reaction is > 0 and <= ReactionLimit, $"reaction {reaction:0.00} s, at most {ReactionLimit:0} s wanted");
        stage.Note($"from the deciding sample to weight 0 accepted: {reaction * 1000:0} ms");
        await stage.CheckNothingReachesAsync(end.NewRevision!);
        var shares = stage.CheckShares(("canary", 5));
        errors = stage.Load.Errors - errors;
        return $"back from {shares} in {reaction * 1000:0} ms; {rollback?.Message}{(errors > 0 ? $"; {errors} of {stage.Load.Total - asked} requests failed meanwhile" : "")}";
    }

    private static async Task<string> FlagAsync(Stage stage)
    {
        var before = stage.Now;
        var began = stage.Began;
        await stage.UntilAsync(m => m.Status.Flags?.Exists(f => f.Name == Flag && f.Canary == true) == true || m.IsTrue("RolledBack"), 120, "the step replay switches the flag on");
        var switched = Load.Now();
        var end = await stage.UntilPromotedAsync(before.Status.StableRevision, 120);
        stage.CheckShares(("canary", 5), ("replay", 10), ("full", 100));
        var (old, fresh) = (before.NewRevision!, end.NewRevision!);
        var answers = stage.Load.Answers.Where(a => a.Arrived >= began).ToList();
        stage.Check(!answers.Exists(a => a.Revision == old && a.Replayed), "an answer of stable shows the flag");
        stage.Check(!answers.Exists(a => a.Revision == fresh && a.Replayed && a.Arrived < switched - 2), "an answer shows the flag before its step");
        var first = answers.Find(a => a.Revision == fresh && a.Replayed);
        if (first is null)
            throw new ActFailedException("no answer of the new release shows the flag");
        var (_, body) = await stage.Load.AskAsync(Question, stage.CancellationToken);
        stage.Check(body.Contains("\"replayed\":", StringComparison.Ordinal), "the new stable's answer does not show the flag");
        stage.Note($"flag in an answer {first.Arrived - switched:0} s after its step: \"replayed\": {FirstReplayed(body)}");

        var pods = end.Fingerprint("api");
        var killed = Load.Now();
        await stage.ApplyMoreAsync("5b-flag-off.yaml");
        var off = await stage.UntilAsync(m => m.Status.Flags?.Exists(f => f.Name == Flag && f.Stable) != true && m.Phase == "Healthy", 30, "the flag is off in status");
        stage.Check((await stage.Cluster.FlagFilesAsync(stage.CancellationToken)).All(map => map.Data?.GetValueOrDefault("flags.env")?.Contains("=true", StringComparison.Ordinal) != true), "a flag file still has it on");
        stage.Note($"off in the API {off.Ended - killed:0.0} s after the edit; the kubelet brings the file to the pods");
        var last = await stage.UntilAnswersLackFlagAsync(90);
        var now = stage.Now;
        stage.Check(now.Status.StableRevision == end.Status.StableRevision && now.Status.CanaryRevision is null, "switching a flag off started a rollout");
        stage.Check(now.Fingerprint("api") == pods, "switching a flag off touched pods");
        stage.Note($"last answer with the flag {last - killed:0.0} s after the edit; no rollout, no pod restarted");
        return $"in answers from step replay; gone {last - killed:0} s after the edit, no rollout";
    }

    private static async Task<string> EmbedderAsync(Stage stage)
    {
        var before = stage.Now;
        var during = await stage.UntilAsync(m => m.Status.CanaryRevision is not null && m.Status.Step?.State == "Holding", 90, "the canary is up");
        var shared = during.Status.Components!.Where(c => c.Shared == true).Select(c => c.Name).ToList();
        var fresh = during.Status.Components!.Where(c => c.Shared != true && !before.Status.Components!.Exists(old => old.Name == c.Name && old.Revision == c.Revision)).Select(c => c.Name).ToList();
        stage.Note($"shared with stable: {string.Join(", ", shared)}; new: {string.Join(", ", fresh)}; pods: {Shown.Pods(during)}");
        stage.Check(shared is ["reranker"], $"shared: {string.Join(", ", shared)}");
        stage.Check(fresh.Order(StringComparer.Ordinal).SequenceEqual(["api", "embedder"]), $"new: {string.Join(", ", fresh)}");
        var end = await stage.UntilPromotedAsync(before.Status.StableRevision, 120);
        stage.CheckShares(("canary", 5), ("replay", 10), ("full", 100));
        stage.Check(end.Fingerprint("reranker") == before.Fingerprint("reranker"), "the reranker's pods were touched");
        return $"new: {string.Join(", ", fresh)}; reranker's pod is the same";
    }

    private static string FirstSentence(string text) => text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;

    private static string FirstReplayed(string body) =>
        JsonElement.Parse(body).TryGetProperty("replayed", out var replayed) && replayed.GetArrayLength() > 0 ? $"\"{replayed[0].GetProperty("question").GetString()}\" was asked before" : "(nothing yet)";
}
