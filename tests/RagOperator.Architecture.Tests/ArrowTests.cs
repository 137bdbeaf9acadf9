using System.Reflection;
using RagOperator.Abstractions;
using RagOperator.Api;
using RagOperator.Engine.Rollout;
using RagOperator.Kubernetes;

namespace RagOperator.Architecture.Tests;

/// <summary>docs/architecture.md: which project may know which.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<Assembly, string[]> s_allowed = new()
    {
        [typeof(NamespacedName).Assembly] = [],
        [typeof(SpecReader).Assembly] = ["RagOperator.Abstractions"],
        [typeof(RolloutEngine).Assembly] = ["RagOperator.Abstractions", "RagOperator.Api"],
        [typeof(KubernetesClient).Assembly] = ["RagOperator.Abstractions"],
        [Assembly.Load("RagOperator.Operator")] = ["RagOperator.Abstractions", "RagOperator.Api", "RagOperator.Engine", "RagOperator.Kubernetes"],
    };

    [Fact]
    public void Projects_know_only_those_that_their_arrows_point_to()
    {
        foreach (var (assembly, allowed) in s_allowed)
        {
            var known = assembly.GetReferencedAssemblies().Select(static a => a.Name!).Where(static n => n.StartsWith("RagOperator", StringComparison.Ordinal));
            Assert.Empty(known.Except(allowed));
        }
    }

    [Fact]
    public void Rooms_of_the_operator_do_not_know_each_other()
    {
        string[] rooms = ["Traffic", "FeatureFlags", "Sla", "Workloads"];
        var found = new List<string>();
        foreach (var room in rooms)
        {
            var types = Assembly.Load("RagOperator.Operator").GetTypes().Where(t => In(t, room)).ToList();
            Assert.NotEmpty(types);
            foreach (var type in types)
            {
                found.AddRange(Uses.Of(type).Where(u => rooms.Any(other => other != room && In(u, other))).Select(u => $"{type} uses {u}"));
            }
        }

        Assert.Empty(found.Distinct());
    }

    private static bool In(Type type, string room) =>
        type.Namespace is { } name && (name == $"RagOperator.Operator.{room}" || name.StartsWith($"RagOperator.Operator.{room}.", StringComparison.Ordinal));
}
