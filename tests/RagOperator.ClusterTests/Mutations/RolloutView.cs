using System.Text.Json.Nodes;
using RagOperator.Tests.Shared.Mutations;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>What a rollout with a changed policy looks like, held against one with the base's: most of a policy shows in nothing else.</summary>
/// <param name="slot">The object.</param>
/// <param name="baseSpec">Its base.</param>
/// <param name="questions">What its metric source was asked since that was last asked for.</param>
internal sealed class RolloutView(MutantSlot slot, JsonNode baseSpec, Func<IReadOnlyList<string>> questions)
{
    private const int LooksAlike = 3;
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_unrest = TimeSpan.FromMinutes(1);
    private readonly Dictionary<int, IReadOnlyList<string>> _references = [];

    /// <summary>How the rollout of a changed spec differs, if it begins at one of its steps.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(JsonNode changed, int step)
    {
        var reference = await ReferenceAsync(Math.Min(step, Math.Max(0, ((baseSpec["rollout"]?["steps"] as JsonArray)?.Count ?? 0) - 1)));
        questions();
        await slot.ApplyAsync(EffectCheck.Rollout(changed, step));
        var differences = await SettledAsync(reference, withQuestions: true);
        // What differs may be promoted, taken back, or kept for a look: the base could not begin where it began.
        await slot.GoBackAsync(anew: differences.Count > 0);
        return differences;
    }

    /// <summary>Nothing once the object looks like the reference; else what still differs when it has come to rest, or does not. What only passes
    /// is no effect.</summary>
    public async Task<IReadOnlyList<string>> SettledAsync(IReadOnlyList<string> reference, bool withQuestions)
    {
        var asked = withQuestions ? new HashSet<string>(StringComparer.Ordinal) : null;
        var (last, alike) = ((IReadOnlyList<string>)[], 0);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var (isAtRest, now) = await LookAsync(asked);
            var differences = Sight.Differences(reference, now);
            if (differences.Count == 0) return [];
            alike = isAtRest && differences.SequenceEqual(last, StringComparer.Ordinal) ? alike + 1 : 0;
            last = differences;
            if (alike >= LooksAlike) return differences;
            if (TimeProvider.System.GetElapsedTime(start) > s_unrest)
            {
                // A rollout may wait for long. What serves alone has nothing to wait for: "Progressing" is then no effect but a fault.
                if (!isAtRest && await StandingStillAsync() is { } message) throw new MutantException($"accepted, and it does not come to rest: {message}");
                return differences;
            }

            await Task.Delay(s_poll, TimeProvider.System);
        }
    }

    /// <summary>What is seen once that does not change any more.</summary>
    public async Task<IReadOnlyList<string>> RestAsync(bool withQuestions)
    {
        var asked = withQuestions ? new HashSet<string>(StringComparer.Ordinal) : null;
        var (seen, alike) = ((IReadOnlyList<string>)[], 0);
        var start = TimeProvider.System.GetTimestamp();
        while (alike < LooksAlike)
        {
            if (TimeProvider.System.GetElapsedTime(start) > s_patience) throw new MutantException($"what is like the base does not come to rest: {string.Join("\n", seen)}");
            await Task.Delay(s_poll, TimeProvider.System);
            var (isAtRest, now) = await LookAsync(asked);
            alike = isAtRest && now.SequenceEqual(seen, StringComparer.Ordinal) ? alike + 1 : 0;
            seen = now;
        }

        return seen;
    }

    private async Task<string?> StandingStillAsync()
    {
        var status = (await slot.GetAsync())["status"]!;
        return status["canaryRevision"] is null && $"{status["phase"]}" == "Progressing" ? $"{status["message"]}" : null;
    }

    private async Task<IReadOnlyList<string>> ReferenceAsync(int step)
    {
        if (_references.TryGetValue(step, out var known)) return known;
        questions();
        await slot.ApplyAsync(EffectCheck.Rollout(baseSpec, step));
        var seen = await RestAsync(withQuestions: true);
        await slot.GoBackAsync(anew: false);
        return _references[step] = seen;
    }

    private async Task<(bool IsAtRest, IReadOnlyList<string> Seen)> LookAsync(HashSet<string>? asked)
    {
        var status = (await slot.GetAsync())["status"]!;
        var metrics = (status["sla"] as JsonArray ?? []).ToList();
        asked?.UnionWith(questions());
        var rests = $"{status["phase"]}" != "Progressing" || $"{status["message"]}".Contains("holding for", StringComparison.Ordinal) || $"{status["message"]}".Contains("warming up", StringComparison.Ordinal);
        // Without a rollout nobody is asked, and what an earlier one left of its metrics stands in status before and after.
        var seen = Sight.OfStatus(status).Where(line => asked is not null || !line.StartsWith("metric ", StringComparison.Ordinal)).ToList();
        if (!rests || (asked is not null && !metrics.TrueForAll(static m => m!["verdict"] is not null))) return (false, seen);
        return (true, [.. seen, .. await slot.ChildrenAsync(), .. (asked ?? []).Order(StringComparer.Ordinal).Select(static q => $"asks {q}")]);
    }
}
