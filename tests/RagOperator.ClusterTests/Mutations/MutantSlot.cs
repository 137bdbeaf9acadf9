using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed.Faults;
using RagOperator.Tests.Shared.Mutations;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>What became of a mutant.</summary>
internal enum Fate
{
    /// <summary>By the API server, with a message that names it.</summary>
    Refused,

    /// <summary>By the operator, with a message that names it.</summary>
    Named,

    /// <summary>The API server stored the same as before.</summary>
    Unchanged,

    /// <summary>Too big to be played: only asked about, and accepted.</summary>
    Asked,

    /// <summary>Other contents, another release; taken back while it was one.</summary>
    Released,

    /// <summary>Another release, promoted, and then the base again in its place.</summary>
    Promoted,

    /// <summary>The same in other words.</summary>
    SameMeaning,

    /// <summary>Seen in status or in a child at once.</summary>
    SeenAtRest,

    /// <summary>Seen in a rollout with it.</summary>
    SeenInRollout,

    /// <summary>Kept, for its time: <see cref="LateFields"/>.</summary>
    ActsLater,
}

/// <summary>A mutant that broke a rule.</summary>
internal sealed class MutantException(string message) : Exception(message);

/// <summary>One RagDeployment that goes from its base to one mutant after the other, and back each time.</summary>
internal sealed class MutantSlot(TestSpace space, Questions questions, JsonObject baseSpec, string slot)
{
    // For two very busy cores; what is right takes a second.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private string _name = "";
    private JsonNode _base = baseSpec;
    private IReadOnlyList<string> _fresh = [];
    private IReadOnlyList<string> _atRest = [];
    private RolloutView? _rollouts;
    private int _made;

    /// <summary>Objects that had to be made anew, because what a mutant did cannot be taken back: a flag that was disabled.</summary>
    public int Remade => _made - 1;

    /// <summary>What was seen of the last accepted mutant.</summary>
    public string Seen { get; private set; } = "";

    private string Path => $"/apis/ragoperator.dev/v1alpha1/namespaces/{space.Namespace}/ragdeployments/{_name}";

    /// <summary>Makes the object, by a new name each time, and waits until its base is installed.</summary>
    public async Task MakeAsync()
    {
        if (_made++ > 0) await AskAsync(() => space.Api.SendAsync(HttpMethod.Delete, Path));
        _name = $"{slot}-{_made}";
        var body = new JsonObject { ["apiVersion"] = "ragoperator.dev/v1alpha1", ["kind"] = "RagDeployment", ["metadata"] = new JsonObject { ["name"] = _name }, ["spec"] = baseSpec.DeepClone() };
        var (code, answer) = await AskAsync(() => space.Api.SendAsync(HttpMethod.Post, Path[..Path.LastIndexOf('/')], body.ToJsonString()));
        if (code is >= 300 and not 409) throw new MutantException($"the base is refused: {answer}");
        var installed = await AtRestAsync("the base is installed");
        _base = installed["spec"]!.DeepClone();
        _rollouts = new RolloutView(this, _base, () => questions.Of(slot));
        _atRest = await _rollouts.RestAsync(withQuestions: false);
        _fresh = await ChildrenAsync();
    }

    /// <summary>Base, mutant, base: says what became of the mutant.</summary>
    /// <param name="mutant">The mutant.</param>
    /// <param name="promote">Whether one that is another release becomes stable before it is taken back. Not where its pods cannot run here, nor where
    /// flags changed: what was once disabled is struck from stable, and the base would not come back as it was; nor where spec says paused.</param>
    /// <exception cref="MutantException">A rule was broken.</exception>
    public async Task<Fate> PlayAsync(Mutant mutant, bool promote)
    {
        // Thousands of pods prove nothing more than the API server's word.
        var big = ((mutant.Spec["components"] as JsonArray) ?? []).Any(static c => c is JsonObject o && o["replicas"] is JsonValue v && v.GetValueKind() == JsonValueKind.Number && v.GetValue<double>() is > 20 and <= 10000);
        var before = await GetAsync();
        var (code, answer) = await SpecAsync(mutant.Spec, big);
        if (code is >= 400 and < 500)
        {
            var words = answer.GetProperty("message").GetString()!;
            if (!IsNamed(mutant, words)) throw new MutantException($"refused by the API server without its name: {words}");
            return Fate.Refused;
        }

        if (code >= 300) throw new MutantException($"the API server answers {code}: {answer}");
        if (big) return Fate.Asked;
        if (Generation(JsonNode.Parse(answer.GetRawText())!) == Generation(before)) return Fate.Unchanged;

        var stored = JsonNode.Parse(answer.GetProperty("spec").GetRawText())!;
        var seen = await UntilSeenAsync("the operator has seen it");
        if (Stalled(seen) is { } refusal)
        {
            var named = await NamedAsync(mutant, refusal);
            await BackAsync(mutant);
            return named;
        }

        if (Masked.Contents(stored) != Masked.Contents(_base))
        {
            if ($"{seen["status"]!["release"]}" == $"{before["status"]!["release"]}") throw new MutantException($"other contents, and still release {seen["status"]!["release"]}: {seen["status"]!["message"]}");
            promote &= !TouchesFlags(mutant) && Masked.Placement(stored) == Masked.Placement(_base) && stored["rollout"]?["paused"]?.GetValue<bool>() != true;
            if (promote) await PromoteAsync(stored, $"{before["status"]!["stableRevision"]}");
            await BackAsync(mutant, promote);
            return promote ? Fate.Promoted : Fate.Released;
        }

        await ScaledAsync(stored);
        var atRest = await _rollouts!.SettledAsync(_atRest, withQuestions: false);
        await KeptAsync(stored);
        await BackAsync(mutant);
        return await EffectAsync(stored, atRest);
    }

    /// <summary>Whatever was accepted does something that can be seen.</summary>
    private async Task<Fate> EffectAsync(JsonNode stored, IReadOnlyList<string> atRest)
    {
        var check = new EffectCheck(() => Task.FromResult(atRest), step => _rollouts!.DifferencesAsync(stored, step));
        (var effect, Seen) = await check.FindAsync(_base, stored);
        return effect switch
        {
            Effect.None => Fate.SameMeaning,
            Effect.AtRest => Fate.SeenAtRest,
            Effect.InRollout => Fate.SeenInRollout,
            Effect.Later => Fate.ActsLater,
            _ => throw new MutantException($"accepted, and nothing shows it: neither status nor children at rest, nor a rollout, and no field that is known to act later: {Seen}"),
        };
    }

    private async Task<Fate> NamedAsync(Mutant mutant, string refusal)
    {
        if (!IsNamed(mutant, refusal)) throw new MutantException($"refused by the operator without its name: {refusal}");
        // A flag that is off is off, also in a spec that is wrong otherwise.
        if (!TouchesFlags(mutant)) SameChildren(await ChildrenAsync(), "a refused spec changed something");
        return Fate.Named;
    }

    /// <summary>What serves has the pods that spec asks for. A canary, which a change of flags begins without other contents, has its step's share.</summary>
    private async Task ScaledAsync(JsonNode stored)
    {
        var wanted = Masked.Replicas(stored);
        var serving = _fresh.Where(static child => child.StartsWith("deployments/", StringComparison.Ordinal)).Select(static child => child.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
        var held = new List<string>();
        await UntilAsync(async () =>
        {
            held.Clear();
            foreach (var deployment in await ListAsync("deployments", $"ragoperator.dev/name={_name}"))
            {
                var metadata = deployment.GetProperty("metadata");
                var name = metadata.GetProperty("name").GetString()!;
                var component = metadata.GetProperty("labels").GetProperty("ragoperator.dev/component").GetString()!;
                if (serving.Contains($"deployments/{name}") && wanted.TryGetValue(component, out var replicas) && deployment.GetProperty("spec").GetProperty("replicas").GetInt32() == replicas) held.Add(name);
            }

            return held.Count == serving.Count;
        }, $"the Deployments that serve have {string.Join(", ", wanted)} pods");
    }

    /// <summary>The accepted spec is kept whole, so that what acts later will, whatever becomes of the object.</summary>
    private async Task KeptAsync(JsonNode stored)
    {
        var name = $"{(await GetAsync())["status"]!["policyRevision"]}";
        var kept = (await ListAsync("controllerrevisions", $"ragoperator.dev/name={_name}")).FirstOrDefault(r => r.GetProperty("metadata").GetProperty("name").GetString() == name);
        var preimage = kept.ValueKind == JsonValueKind.Object ? JsonNode.Parse(Base64Url.DecodeFromChars(kept.GetProperty("data").GetProperty("preimage").GetString())) : null;
        if (preimage is null || Masked.Canonical(preimage) != Masked.Canonical(stored)) throw new MutantException($"{name} does not keep what was accepted: {preimage?.ToJsonString()}");
    }

    /// <summary>The mutant becomes stable: by its revision, its spec, its pods and its children.</summary>
    private async Task PromoteAsync(JsonNode stored, string before)
    {
        await AskToPromoteAsync(await GetAsync());
        var promoted = await AtRestAsync("the mutant is promoted");
        if ($"{promoted["status"]!["stableRevision"]}" == before) throw new MutantException($"asked to promote, {before} is stable as before: {promoted["status"]}");
        if ((await ChildrenAsync()).SequenceEqual(_fresh, StringComparer.Ordinal)) throw new MutantException("the mutant is promoted, and its children are the base's");
        await KeptAsync(stored);
        // Those of the base go last, after what status says.
        var wanted = string.Join(", ", Masked.Replicas(stored).Select(static r => $"{r.Key} {r.Value}").Order(StringComparer.Ordinal));
        await UntilAsync(
            async () => string.Join(", ", (await ListAsync("deployments", $"ragoperator.dev/name={_name}"))
                .Select(static d => $"{d.GetProperty("metadata").GetProperty("labels").GetProperty("ragoperator.dev/component").GetString()} {d.GetProperty("spec").GetProperty("replicas").GetInt32()}")
                .Order(StringComparer.Ordinal)) == wanted,
            $"the mutant's Deployments alone are there, with its pods: {wanted}");
    }

    /// <summary>Nobody waits for holds and approvals here. By its revision: the same request twice is one.</summary>
    private async Task AskToPromoteAsync(JsonNode seen)
    {
        var request = new JsonObject { ["ragoperator.dev/request"] = $"promote/{seen["status"]!["canaryRevision"]}" };
        var body = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = request } }.ToJsonString();
        var (code, answer) = await AskAsync(() => space.Api.SendAsync(HttpMethod.Patch, Path, body, "application/merge-patch+json"));
        if (code >= 300) throw new MutantException($"a request to promote is refused: {answer}");
    }

    /// <summary>The base again: at once where the mutant was not stable, and else by an undo, which still holds its last step.</summary>
    private async Task BackAsync(Mutant mutant, bool promoted = false)
    {
        var (code, answer) = await SpecAsync(_base, dryRun: false);
        if (code >= 300) throw new MutantException($"the base is refused the second time: {answer}");
        var seen = await UntilSeenAsync("the operator has seen the base again");
        // An undo may be over before it is looked at.
        if (promoted && seen["status"]!["canaryRevision"] is not null) await AskToPromoteAsync(seen);
        // A flag that was disabled was struck from stable: the base that has it is a new release, which begins at its first step.
        if (TouchesFlags(mutant) && $"{seen["status"]!["phase"]}" != "Healthy")
        {
            await MakeAsync();
            return;
        }

        await AtRestAsync("the base is stable again");
        // Deletions come last, after what status says.
        var start = TimeProvider.System.GetTimestamp();
        IReadOnlyList<string> now;
        while (!(now = await ChildrenAsync()).SequenceEqual(_fresh, StringComparer.Ordinal) && TimeProvider.System.GetElapsedTime(start) < s_patience)
            await Task.Delay(s_poll, TimeProvider.System);
        SameChildren(now, "base, mutant, base does not end as the base did");
    }

    private void SameChildren(IReadOnlyList<string> now, string what)
    {
        if (now.SequenceEqual(_fresh, StringComparer.Ordinal)) return;
        throw new MutantException($"{what}\n  gone:\n{string.Join("\n", _fresh.Except(now, StringComparer.Ordinal))}\n  new:\n{string.Join("\n", now.Except(_fresh, StringComparer.Ordinal))}");
    }

    /// <summary>Applies a spec and answers the object once the operator has seen it.</summary>
    public async Task<JsonNode> ApplyAsync(JsonNode spec)
    {
        var (code, answer) = await SpecAsync(spec, dryRun: false);
        if (code >= 300) throw new MutantException($"a rollout with it is refused: {answer}");
        return await UntilSeenAsync("the operator has seen it");
    }

    /// <summary>Back to the base; an object that cannot go back at once is made anew.</summary>
    public async Task GoBackAsync(bool anew)
    {
        if (anew)
        {
            await MakeAsync();
            return;
        }

        await ApplyAsync(_base);
        await AtRestAsync("the base is stable again");
    }

    private async Task<JsonNode> AtRestAsync(string what)
    {
        JsonNode? rest = null;
        await UntilAsync(async () =>
        {
            rest = await GetAsync();
            return IsSeen(rest) && $"{rest["status"]!["phase"]}" == "Healthy" && rest["status"]!["retiring"] is null or JsonArray { Count: 0 };
        }, what);
        return rest!;
    }

    private async Task<JsonNode> UntilSeenAsync(string what)
    {
        JsonNode? seen = null;
        await UntilAsync(async () => IsSeen(seen = await GetAsync()), what);
        return seen!;
    }

    /// <summary>Deployments, Services, ConfigMaps and the route, masked and in order.</summary>
    public async Task<IReadOnlyList<string>> ChildrenAsync()
    {
        var children = new List<string>();
        foreach (var resource in (string[])["deployments", "services", "configmaps"])
            children.AddRange((await ListAsync(resource, $"ragoperator.dev/name={_name}")).Select(c => $"{resource}/{Masked.Child(c)}"));
        if (await AskAsync(() => space.Api.GetAsync($"/apis/gateway.networking.k8s.io/v1/namespaces/{space.Namespace}/httproutes/{_name}")) is { } route) children.Add($"httproutes/{Masked.Child(route)}");
        return [.. children.Order(StringComparer.Ordinal)];
    }

    /// <summary>The object.</summary>
    public async Task<JsonNode> GetAsync() => JsonNode.Parse((await AskAsync(() => space.Api.GetAsync(Path)) ?? throw new MutantException("the object is gone")).GetRawText())!;

    private Task<(int Code, JsonElement Body)> SpecAsync(JsonNode spec, bool dryRun) => AskAsync(() => space.Api.SendAsync(
        HttpMethod.Patch, Path + (dryRun ? "?dryRun=All" : ""), new JsonArray(new JsonObject { ["op"] = "replace", ["path"] = "/spec", ["value"] = spec.DeepClone() }).ToJsonString(), "application/json-patch+json"));

    private Task<IReadOnlyList<JsonElement>> ListAsync(string resource, string selector) => AskAsync(() => space.ListAsync(resource, selector));

    private static Task<T> AskAsync<T>(Func<Task<T>> ask) => ApiAccess.PatientlyAsync(ask, s_patience);

    private async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > s_patience)
                throw new MutantException($"not within {s_patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s: {what}; status {(await space.Api.GetAsync(Path))?.GetProperty("status")}");
            await Task.Delay(s_poll, TimeProvider.System);
        }
    }

    private static bool IsNamed(Mutant mutant, string words) => mutant.Words.Any(w => words.Contains(w, StringComparison.OrdinalIgnoreCase));

    private static bool TouchesFlags(Mutant mutant) => mutant.What.Contains("spec.featureFlags", StringComparison.Ordinal);

    private static long Generation(JsonNode node) => node["metadata"]!["generation"]!.GetValue<long>();

    private static bool IsSeen(JsonNode node) => node["status"]?["observedGeneration"]?.GetValue<long>() == Generation(node);

    private static string? Stalled(JsonNode node) => (node["status"]!["conditions"] as JsonArray)?.FirstOrDefault(static c =>
        $"{c!["type"]}" == "Stalled" && $"{c["status"]}" == "True" && $"{c["reason"]}" is "InvalidSpec" or "NameTaken") is { } found ? $"{found["message"]}" : null;
}
