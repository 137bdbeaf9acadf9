using System.Text.RegularExpressions;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>The configuration that the chart writes is one that the operator takes: its own check says so.</summary>
public sealed partial class OperatorConfigTests : IDisposable
{
    private static readonly string s_operator = Path.Combine(HelmChart.Repository, "artifacts/bin/RagOperator.Operator/debug/RagOperator.Operator");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rag-chart");

    public static TheoryData<string> Files => [.. HelmChart.AllValues];

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void The_operator_accepts_its_configuration(string values)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        var config = (string)HelmChart.Objects(HelmChart.Text(HelmChart.Values(values))).First(o => (string?)o["kind"] == "ConfigMap" && o["data"]?["config.yaml"] is not null)["data"]!["config.yaml"]!;
        Assert.Equal(["kubeconfig"], Complaints(config));
    }

    [Fact]
    public void A_wrong_key_would_be_noticed() => Assert.Contains("metricSources.default.tokenFile", Complaints("metricSources: {default: {url: 'http://x', tokenFile: /x}}"));

    /// <summary>The keys that the operator complains of. A kubeconfig that is not there keeps it from starting.</summary>
    private List<string> Complaints(string config)
    {
        // What is mounted in a pod is here in a folder.
        foreach (Match file in MountedFile().Matches(config))
        {
            var path = _folder.FullName + file.Value;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "x");
        }

        Directory.CreateDirectory(_folder.FullName + "/etc/rag-operator/webhook");
        var configuration = Path.Combine(_folder.FullName, "config.yaml");
        File.WriteAllText(configuration, config.Replace("/etc/rag-operator/", _folder.FullName + "/etc/rag-operator/", StringComparison.Ordinal));
        var (_, error, code) = HelmChart.RunProcess(s_operator, ["--config", configuration, "--kubeconfig", "/nonexistent"]);
        Assert.Equal(2, code);
        return [.. error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => Key().Match(line).Value).Distinct(StringComparer.Ordinal)];
    }

    [GeneratedRegex("/etc/rag-operator/sources/[^\\s,}]+")]
    private static partial Regex MountedFile();

    [GeneratedRegex("[A-Za-z][\\w.-]*")]
    private static partial Regex Key();
}
