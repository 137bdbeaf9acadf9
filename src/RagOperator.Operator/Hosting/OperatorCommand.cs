using RagOperator.Kubernetes;
using RagOperator.Operator.Hosting.Options;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Hosting;

/// <summary>The command: reads its configuration, says what is wrong with it, else runs.</summary>
internal static partial class OperatorCommand
{
    /// <summary>The exit code of a wrong configuration.</summary>
    public const int WrongConfiguration = 2;

    /// <summary>Runs until asked to stop.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="output">Standard output: help, version.</param>
    /// <param name="error">Standard error: what is wrong with the configuration.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> args, IReadOnlyList<KeyValuePair<string, string>> environment, TextWriter output, TextWriter error)
    {
        var command = CommandLine.Parse(args, environment);
        if (command.WantsHelp || command.WantsVersion)
        {
            await output.WriteLineAsync(command.WantsHelp ? CommandLine.Help : BuildInfo.Version);
            return 0;
        }

        var (settings, problems) = SettingsLoader.Load(command.Tree);
        KubernetesClientConfiguration? cluster = null;
        var all = command.Problems.Concat(problems).Select(static p => p.ToString()).ToList();
        try
        {
            cluster = ClusterOf(settings);
        }
        catch (KubeConfigException e)
        {
            all.Add($"kubeconfig: {e.Message}");
        }

        if (all.Count > 0 || cluster is null)
        {
            await error.WriteLineAsync($"The configuration is wrong in {all.Count} place{(all.Count == 1 ? "" : "s")}:");
            foreach (var problem in all) await error.WriteLineAsync($"  {problem}");
            return WrongConfiguration;
        }

        await using var log = Console.OpenStandardOutput();
        await using var app = OperatorHost.Build(settings, cluster, log);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("RagOperator.Operator");
        LogStart(logger, BuildInfo.Version, cluster.Host.Host, settings.WatchNamespaces.Count == 0 ? "(all)" : string.Join(", ", settings.WatchNamespaces), settings.MetricSources.Count);
        WarnOfRisks(logger, settings);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            LogListen(logger, settings.HttpAddress, settings.HttpPort, ShortText.Clean(e.Message));
            // What runs already would die of what is disposed beneath it, and say so loudest.
            await app.StopAsync();
            return WrongConfiguration;
        }

        await app.WaitForShutdownAsync();
        LogStop(logger);
        return Environment.ExitCode;
    }

    private static KubernetesClientConfiguration ClusterOf(HostSettings settings) => settings.KubeConfig is { } file
        ? KubernetesClientConfiguration.BuildConfigFromConfigFile(file, settings.Context)
        : KubernetesClientConfiguration.BuildDefaultConfig();

    private static void WarnOfRisks(ILogger logger, HostSettings settings)
    {
        foreach (var (name, source) in settings.MetricSources)
        {
            if (source.InsecureSkipVerify) LogUnverified(logger, name);
            var secret = source.BearerTokenFile ?? source.BasicPasswordFile;
            if (secret is not null && source.Url.Scheme == Uri.UriSchemeHttp && !source.Url.IsLoopback) LogPlain(logger, name);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "RagOperator {Version} starts; API server {Server}, namespace {WatchNamespace}, {Sources} metric sources")]
    private static partial void LogStart(ILogger logger, string version, string server, string watchNamespace, int sources);

    [LoggerMessage(2, LogLevel.Information, "RagOperator has stopped")]
    private static partial void LogStop(ILogger logger);

    [LoggerMessage(3, LogLevel.Warning, "The certificate of metric source {Source} goes unchecked (insecureSkipVerify)")]
    private static partial void LogUnverified(ILogger logger, string source);

    [LoggerMessage(4, LogLevel.Warning, "Credentials for metric source {Source} travel unencrypted: its address is http")]
    private static partial void LogPlain(ILogger logger, string source);

    [LoggerMessage(5, LogLevel.Critical, "Cannot listen at http.address {Address}, http.port {Port}: {Reason}")]
    private static partial void LogListen(ILogger logger, string address, int port, string reason);
}
