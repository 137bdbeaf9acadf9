using System.Collections;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>What the command line and the environment ask for.</summary>
internal sealed record CommandLine
{
    /// <summary>Short names of options that are used often.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase) { ["namespace"] = "watchNamespace" };

    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help =
        """
        RagOperator rolls RAG services out step by step and rolls them back by itself.

        Usage: RagOperator.Operator [--config FILE] [--KEY VALUE]...

          --config FILE        configuration as YAML or JSON (also RAGOPERATOR_CONFIG)
          --kubeconfig FILE    the cluster (default: KUBECONFIG, ~/.kube/config, the pod's own account)
          --context NAME       a context of that file
          --namespace NAME     watch this namespace only (a list with commas: these)
          --http.port PORT     probes and metrics (default 8080)
          --log.level LEVEL    trace, debug, information, warning, error or critical
          --log.format FORMAT  json (default) or text
          --KEY VALUE          any key of the configuration, for instance
                               --metricSources.default.url http://prometheus:9090 --metricSources.default.namespaces rag
          --version            print the version
          --help               print this

        A key may also be given as a variable: RAGOPERATOR_ and the key, with two underscores for each dot.
        The command line wins over the environment, the environment over the file.
        Exit codes: 0 asked to stop, 2 wrong configuration, 70 a failure that only a restart cures.
        """;

    /// <summary>Print the help and end.</summary>
    public bool WantsHelp { get; private init; }

    /// <summary>Print the version and end.</summary>
    public bool WantsVersion { get; private init; }

    /// <summary>The values by key.</summary>
    public required SettingTree Tree { get; init; }

    /// <summary>What is wrong so far.</summary>
    public required IReadOnlyList<SettingProblem> Problems { get; init; }

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> ProcessEnvironment() =>
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static e => KeyValuePair.Create((string)e.Key, (string?)e.Value ?? ""))];

    /// <summary>Reads file, environment and command line, in this order.</summary>
    public static CommandLine Parse(IReadOnlyList<string> args, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        var problems = new List<SettingProblem>();
        var given = new List<(string Key, string Value)>();
        var config = environment.FirstOrDefault(static e => e.Key == $"{SettingTree.EnvironmentPrefix}CONFIG").Value;
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg is "--help" or "-h") return Empty(help: true);
            if (arg == "--version") return Empty(help: false);
            if (!arg.StartsWith("--", StringComparison.Ordinal) || arg.Length == 2)
            {
                problems.Add(new("command line", arg, "options begin with --; see --help", "command line"));
                continue;
            }

            var equals = arg.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? arg[2..] : arg[2..equals];
            key = Aliases.GetValueOrDefault(key, key);
            if (equals < 0 && (i + 1 == args.Count || args[i + 1].StartsWith("--", StringComparison.Ordinal)))
            {
                problems.Add(new(key, null, "a value is needed; see --help", null));
                continue;
            }

            var value = equals < 0 ? args[++i] : arg[(equals + 1)..];
            if (key.Equals("config", StringComparison.OrdinalIgnoreCase)) config = value;
            else given.Add((key, value));
        }

        var tree = new SettingTree();
        if (!string.IsNullOrEmpty(config)) problems.AddRange(tree.AddFile(config));
        tree.AddEnvironment(environment);
        foreach (var (key, value) in given) tree.Set(key, value, "command line");
        return new() { Tree = tree, Problems = problems };
    }

    private static CommandLine Empty(bool help) => new() { Tree = new SettingTree(), Problems = [], WantsHelp = help, WantsVersion = !help };
}
