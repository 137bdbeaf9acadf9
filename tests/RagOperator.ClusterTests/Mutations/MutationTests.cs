using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Mutations;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Mutations;

/// <summary>Valid RagDeployments, changed field by field from the CRD's schema, on a real API server: each mutant is refused with a message that names
/// what is wrong or reconciled with a visible effect, and base, mutant, base ends as the base did, also where the mutant was promoted meanwhile. MUTANTS asks for more of them, RAG_SEED for others.</summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Slots = 10;
    private const int MostFailures = 10;

    // Of either base: a promotion takes many times as long as anything else.
    private const int OnePromotedOf = 9;

    [SkippableFact]
    public async Task Every_mutant_is_refused_by_name_or_reconciled_and_can_be_taken_back()
    {
        var count = Number("MUTANTS", 300);
        var seed = Number("RAG_SEED", 1);
        await using var questions = await Questions.StartAsync();
        await using var space = await TestSpace.CreateWithoutPodsAsync("mutants", questions.Configuration(Enumerable.Range(0, Slots).Select(static n => $"m{n}")));
        await using var puppet = new PuppetNode(space);
        await puppet.StartAsync();
        await space.Bed.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: qdrant, namespace: {{space.Namespace}}}
            spec: {ports: [{port: 6333}]}
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: qdrant, namespace: {{space.Namespace}}}
            subsets: [{addresses: [{ip: 10.98.0.1}], ports: [{port: 6333}]}]
            """);
        var mutator = new SpecMutator(SpecMutator.SchemaOf(YamlJson.Parse(await File.ReadAllTextAsync(Path.Combine(ClusterBed.Repository, "crds/ragoperator.dev_ragdeployments.yaml")))!));
        var bases = ((string[])["full", "minimal"]).Select(sample => (JsonObject)JsonNode.Parse(Base(sample, puppet.NodeName).ToJsonString())!).ToList();
        var fates = new ConcurrentDictionary<Fate, int>();
        var failures = new ConcurrentQueue<string>();
        var effects = new ConcurrentQueue<string>();
        // Even seeds change the full sample and odd ones the minimal, whichever object is free: a seed says it all.
        int[] next = [seed - 2 + (seed & 1), seed - 1 - (seed & 1)];
        var watch = TimeProvider.System.GetTimestamp();
        var remade = 0;

        await Task.WhenAll(Enumerable.Range(0, Slots).Select(async number =>
        {
            var baseSpec = (JsonObject)bases[number % bases.Count].DeepClone();
            if (baseSpec["sla"] is JsonObject sla) sla["source"] = $"m{number}";
            var slot = new MutantSlot(space, questions, baseSpec, $"m{number}");
            var stands = await RenewAsync(slot);
            while (stands && failures.Count < MostFailures && Interlocked.Add(ref next[number % bases.Count], bases.Count) is var mine && mine < seed + count)
            {
                var mutant = mutator.Mutate(baseSpec, new Random(mine));
                try
                {
                    var fate = await slot.PlayAsync(mutant, promote: mine % OnePromotedOf == 0);
                    fates.AddOrUpdate(fate, 1, static (_, n) => n + 1);
                    if (fate is Fate.SeenAtRest or Fate.SeenInRollout or Fate.ActsLater) effects.Enqueue($"{fate}: seed {mine}, {mutant.What}: {slot.Seen}");
                }
                catch (MutantException e)
                {
                    failures.Enqueue($"seed {mine}, base {(number % bases.Count == 0 ? "full" : "minimal")}: {mutant}\n{e.Message}\nbase:   {baseSpec.ToJsonString()}\nmutant: {mutant.Spec.ToJsonString()}");
                    stands = await RenewAsync(slot);
                }
            }

            Interlocked.Add(ref remade, slot.Remade);
        }));

        async Task<bool> RenewAsync(MutantSlot slot)
        {
            try
            {
                await slot.MakeAsync();
                return true;
            }
            catch (MutantException e)
            {
                failures.Enqueue($"an object could not be made: {e.Message}");
                return false;
            }
        }

        var passed = fates.Values.Sum();
        var note = $"seed {seed}, {TimeProvider.System.GetElapsedTime(watch).TotalSeconds:0} s, {string.Join(", ", fates.OrderBy(static f => f.Key).Select(static f => $"{f.Value} {f.Key}"))}, {remade} objects made anew".ToLowerInvariant();
        output.WriteLine($"{count} mutants: {passed} passed, {failures.Count} failed; {note}");
        // For a person to judge whether what was seen is the mutant's effect.
        foreach (var effect in effects.Take(100).Order(StringComparer.Ordinal)) output.WriteLine(effect);
        FaultTable.Tell("mutants", count, passed, failures.Count, note);
        Assert.True(failures.IsEmpty, $"{string.Join("\n\n", failures)}\npuppet: {puppet.Trouble}");
        Assert.True(count < 300 || fates.GetValueOrDefault(Fate.Promoted) > 0, $"none of {count} mutants was promoted: {note}");
        Assert.NotNull(space.Operator.Pid);
        var wrong = space.Operator.LogLines("nhandled").Concat(space.Operator.LogLines("   at RagOperator")).ToList();
        Assert.True(wrong.Count == 0, $"the operator's log tells of exceptions:\n{string.Join("\n", wrong.Take(40))}");
    }

    /// <summary>A sample that can be installed here, on the puppet's node and gateway; its rollouts come to rest soon, and so do its metrics.</summary>
    private static JsonObject Base(string sample, string node)
    {
        var spec = (JsonObject)YamlJson.Parse(File.ReadAllText(Path.Combine(ClusterBed.Repository, $"samples/{sample}.yaml")))!["spec"]!.DeepClone();
        foreach (var component in spec["components"]!.AsArray().Where(static c => c!["template"] is not null))
        {
            component!["template"]!["spec"]!["nodeSelector"] = new JsonObject { ["puppet"] = node };
            component["template"]!["spec"]!["tolerations"] = new JsonArray(new JsonObject { ["key"] = "puppet", ["operator"] = "Exists" });
            // As many as it takes for a step's share and a fixed count to be told apart.
            if (component["replicas"] is not null) component["replicas"] = 4;
        }

        spec["traffic"]!["gatewayApi"]!["parentRefs"] = new JsonArray(new JsonObject { ["name"] = PuppetNode.Gateway });
        var rollout = spec["rollout"] as JsonObject ?? (JsonObject)(spec["rollout"] = new JsonObject());
        rollout["retireDelay"] = "0s";
        foreach (var step in rollout["steps"] as JsonArray ?? [])
        {
            // A hold shows only while it lasts, an approval only after it.
            step!["hold"] = "0s";
            step["approval"] = "Required";
        }

        if (spec["sla"] is not JsonObject sla) return spec;
        (sla["interval"], sla["warmUp"]) = ("1s", "0s");
        foreach (var metric in sla["metrics"]!.AsArray()) metric!["window"] = "1s";
        return spec;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
