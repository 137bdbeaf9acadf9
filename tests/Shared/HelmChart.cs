using System.Diagnostics;
using System.Text.Json.Nodes;

namespace RagOperator.Tests.Shared;

/// <summary>The chart as Helm renders it, by the small program that tests/TestBed/setup.sh builds (tests/HelmRender).</summary>
public static class HelmChart
{
    /// <summary>The project's folder.</summary>
    public static string Repository { get; } = FindRepository();

    public static string Folder { get; } = Path.Combine(Repository, "charts/rag-operator");

    /// <summary>The values that the tests render it with.</summary>
    public static string Values(string name) => Path.Combine(Repository, $"tests/RagOperator.Chart.Tests/values/{name}.yaml");

    public static IEnumerable<string> AllValues => Directory.GetFiles(Path.Combine(Repository, "tests/RagOperator.Chart.Tests/values"), "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    public static string Renderer { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".cache"),
        "rag-operator/helm-render/helm-render");

    /// <summary>Why nothing can be rendered here; null if it can.</summary>
    public static string? Missing => File.Exists(Renderer) ? null : "needs the chart's renderer: tests/TestBed/setup.sh";

    /// <summary>Renders the chart: what it printed, what it complained of, and how it ended (3: wrong values).</summary>
    public static (string Out, string Error, int Code) Run(params string[] args) => RunProcess(Renderer, [.. args]);

    /// <summary>The manifests for a file of values.</summary>
    public static string Text(string values, params string[] more)
    {
        var (text, error, code) = Run([.. more, "-values", values, Folder]);
        return code == 0 ? text : throw new InvalidOperationException(error);
    }

    /// <summary>The objects of some manifests.</summary>
    public static IReadOnlyList<JsonObject> Objects(string manifests) => [.. YamlJson.ParseAll(manifests).OfType<JsonObject>()];

    public static (string Out, string Error, int Code) RunProcess(string file, IReadOnlyList<string> args)
    {
        var start = new ProcessStartInfo(file, args) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (text, error.GetAwaiter().GetResult(), process.ExitCode);
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "RagOperator.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("not below the project's folder");
    }
}
