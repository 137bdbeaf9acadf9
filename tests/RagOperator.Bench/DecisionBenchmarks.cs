using BenchmarkDotNet.Attributes;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Bench;

/// <summary>What one decision costs, idle and in the middle of a rollout, and what hashing a spec costs.</summary>
public class DecisionBenchmarks
{
    private EngineInput _idle = null!;
    private EngineInput _holding = null!;
    private EngineInput _wide = null!;

    [GlobalSetup]
    public void Setup()
    {
        var sim = new Sim().UntilHealthy();
        _idle = sim.Input!;
        sim.Edit(static s => s.Image("api", "api:2")).UntilStep("half", StepStates.Holding).Run(TimeSpan.FromMinutes(3));
        _holding = sim.Input!;
        var spec = new SpecText();
        for (var i = 2; i < 50; i++) spec.Put($"components[{i}]", $"{{name: c{i}, ports: [{{name: http, port: 80}}], template: {{spec: {{containers: [{{name: c, image: 'c:{i}'}}]}}}}}}");
        spec.Put("components[1].dependsOn", $"[embedder, {string.Join(", ", Enumerable.Range(2, 48).Select(static i => $"c{i}"))}]");
        _wide = new Sim(spec).UntilHealthy().Input!;
    }

    [Benchmark(Description = "Decide, healthy and idle")]
    public EngineOutput Idle() => RolloutEngine.Decide(_idle);

    [Benchmark(Description = "Decide, in a hold")]
    public EngineOutput Holding() => RolloutEngine.Decide(_holding);

    [Benchmark(Description = "Decide, idle, 50 components")]
    public EngineOutput Wide() => RolloutEngine.Decide(_wide);

    [Benchmark(Description = "Content hashes, 2 components")]
    public IReadOnlyDictionary<string, string> Hash() => ContentHashes.Of(_idle.Reading.Spec!);

    [Benchmark(Description = "Content hashes, 50 components")]
    public IReadOnlyDictionary<string, string> HashWide() => ContentHashes.Of(_wide.Reading.Spec!);
}
