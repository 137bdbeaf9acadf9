using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>kubectl as a renderer: no cluster is asked.</summary>
internal static class Kubectl
{
    private static readonly string s_file = Find();

    /// <summary>Whether it knows <c>openapi:</c> in a kustomization: from 1.21 on.</summary>
    public static bool KnowsOpenApi => s_file.Length > 0 && Minor() >= 21;

    public static string Kustomize(string folder)
    {
        Skip.If(s_file.Length == 0, "needs kubectl: tests/TestBed/setup.sh");
        var (text, error, code) = HelmChart.RunProcess(s_file, ["kustomize", Path.Combine(HelmChart.Repository, folder)]);
        return code == 0 ? text : throw new InvalidOperationException(error);
    }

    private static int Minor()
    {
        var version = HelmChart.RunProcess(s_file, ["version", "--client", "-o", "json"]).Out;
        var minor = YamlJson.Parse(version)!["clientVersion"]!["minor"]!.ToString().TrimEnd('+');
        return int.Parse(minor, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Find()
    {
        var bed = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(HelmChart.Renderer)!)!, "kubernetes-1.20.2/kubectl");
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "kubectl")).Append(bed).FirstOrDefault(File.Exists) ?? "";
    }
}
