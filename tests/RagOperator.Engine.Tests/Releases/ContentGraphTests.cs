using System.Globalization;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Tests.World;
using RagOperator.Tests.Shared;

namespace RagOperator.Engine.Tests.Releases;

/// <summary>Whatever the graph of components: a change of one renews it and all above it, and nothing else.</summary>
public sealed class ContentGraphTests
{
    private static readonly string[] s_changes =
    [
        "template.spec.containers[0].image", "template.spec.containers[0].args", "template.spec.unheardOf", "ports[0].appProtocol", "template.metadata.labels.team",
    ];

    [Fact]
    public void Change_of_a_component_renews_it_and_what_depends_on_it_and_nothing_else() => Seeded.Each(300, static random =>
    {
        var count = random.Next(1, 7);
        var below = Graph(random, count);
        var spec = Spec(below, random);
        var before = Contents(spec);
        var changed = random.Next(count);
        var path = $"components[{changed}].{s_changes[random.Next(s_changes.Length)]}";
        var after = Contents(spec.Put(path, path.EndsWith("args", StringComparison.Ordinal) ? "[new]" : "new"));
        for (var i = 0; i < count; i++)
            Assert.True((i == changed || Reaches(below, i, changed)) == (before[$"c{i}"] != after[$"c{i}"]), $"{path}: c{i} of\n{spec.Json()}");
    });

    [Fact]
    public void Replicas_and_the_order_of_components_and_dependencies_never_count() => Seeded.Each(300, static random =>
    {
        var below = Graph(random, random.Next(1, 7));
        var (one, two) = (Contents(Spec(below, random)), Contents(Spec(below, random)));
        Assert.Equal(one.OrderBy(static c => c.Key, StringComparer.Ordinal), two.OrderBy(static c => c.Key, StringComparer.Ordinal));
    });

    /// <summary>What each component depends on; the last one, where requests enter, reaches all.</summary>
    private static List<int>[] Graph(Random random, int count)
    {
        var below = Enumerable.Range(0, count).Select(i => Enumerable.Range(0, i).Where(_ => random.Next(2) == 0).ToList()).ToArray();
        for (var i = 0; i < count - 1; i++)
            if (!below.Any(b => b.Contains(i))) below[^1].Add(i);
        return below;
    }

    private static bool Reaches(List<int>[] below, int from, int to) => below[from].Exists(b => b == to || Reaches(below, b, to));

    private static SpecText Spec(List<int>[] below, Random random)
    {
        // The index is that of the graph, so that a change by index meets the same component whatever the order of its dependencies.
        var lines = below.Select((dependencies, i) => string.Create(CultureInfo.InvariantCulture,
            $"  - {{name: c{i}, replicas: {random.Next(1, 9)}, dependsOn: [{string.Join(", ", dependencies.Select(static d => $"c{d}"))}], ports: [{{name: http, port: {8000 + i}}}], template: {{spec: {{containers: [{{name: c, image: 'c:1'}}]}}}}}}"));
        return new SpecText($"components:\n{string.Join("\n", lines)}\ntraffic: {{gatewayApi: {{parentRefs: [{{name: public}}]}}}}");
    }

    private static IReadOnlyDictionary<string, string> Contents(SpecText spec) => ContentHashes.Of(new Cluster("assistant", spec.Json()).Reading.Spec!);
}
