using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>What the chart makes of several files of values, line by line. Without alerts, dashboards and scripts, which have tests of their own and
/// would bury the rest; <see cref="PodTests"/> holds that they are taken.</summary>
public sealed class GoldenTests : IDisposable
{
    private readonly DirectoryInfo _chart = Directory.CreateTempSubdirectory("rag-chart");

    public GoldenTests()
    {
        Assert.Equal(0, HelmChart.RunProcess("cp", ["-r", HelmChart.Folder + "/.", _chart.FullName]).Code);
        File.Delete(Path.Combine(_chart.FullName, "files/alerts.yaml"));
        foreach (var folder in (string[])["dashboards", "argocd"])
        {
            if (Directory.Exists(Path.Combine(_chart.FullName, "files", folder))) Directory.Delete(Path.Combine(_chart.FullName, "files", folder), recursive: true);
        }
    }

    public void Dispose() => _chart.Delete(recursive: true);

    public static TheoryData<string> Files => [.. HelmChart.AllValues];

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void Manifests_are_those_that_were_looked_at(string values)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        Golden.Hold($"tests/RagOperator.Chart.Tests/golden/{values}.yaml", WithoutSchema(Render(values)));
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void Notes_are_those_that_were_looked_at(string values)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        Golden.Hold($"tests/RagOperator.Chart.Tests/golden/{values}.notes.txt", Render(values, "-notes"));
    }

    [SkippableFact]
    public void The_definition_is_the_generated_one_and_stays_at_uninstall()
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var definition = HelmChart.Objects(HelmChart.Text(HelmChart.Values("default"))).Single(o => (string?)o["kind"] == "CustomResourceDefinition");
        var generated = YamlJson.Parse(File.ReadAllText(Path.Combine(HelmChart.Repository, "crds/ragoperator.dev_ragdeployments.yaml")))!;
        Assert.True(JsonNode.DeepEquals(generated["spec"], definition["spec"]), "the chart's CRD is another one than crds/: `make crds`");
        Assert.Equal("keep", (string?)definition["metadata"]!["annotations"]!["helm.sh/resource-policy"]);

        var gone = HelmChart.Objects(HelmChart.Text(HelmChart.Values("everything"))).Single(o => (string?)o["kind"] == "CustomResourceDefinition");
        Assert.Null(gone["metadata"]!["annotations"]);
    }

    private string Render(string values, params string[] more)
    {
        var (text, error, code) = HelmChart.Run([.. more, "-values", HelmChart.Values(values), _chart.FullName]);
        Assert.True(code == 0, error);
        return text;
    }

    /// <summary>The schema has a test of its own, and would bury the rest.</summary>
    private static string WithoutSchema(string manifests)
    {
        var lines = manifests.Split('\n').ToList();
        var start = lines.FindIndex(l => l == "kind: CustomResourceDefinition");
        if (start < 0) return manifests;
        var from = lines.FindIndex(start, l => l == "spec:");
        var to = lines.FindIndex(from, l => l == "---");
        lines.RemoveRange(from + 1, to - from - 1);
        lines.Insert(from + 1, "  # as in crds/");
        return string.Join('\n', lines);
    }
}
