using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RagOperator.TestBed.Bed;

/// <summary>What kind of bed is wanted, and what is to run in it. Flags win over environment variables.</summary>
internal sealed record BedOptions
{
    /// <summary>One node with real containers.</summary>
    public bool RealNode { get; init; } = true;

    /// <summary>How many nodes only pretend to run pods.</summary>
    public int HollowNodes { get; init; }

    public bool Prometheus { get; init; } = true;

    public bool Gateway { get; init; } = true;

    /// <summary>As Prometheus writes durations.</summary>
    public string ScrapeInterval { get; init; } = "1s";

    /// <summary>A folder of docker-archives, or null.</summary>
    public string? Images { get; init; }

    public string? KeepLogs { get; init; }

    public IReadOnlyList<string> Command { get; init; } = [];

    public static bool TryParse(string[] args, [NotNullWhen(true)] out BedOptions? options, [NotNullWhen(false)] out string? problem)
    {
        options = null;
        var separator = Array.IndexOf(args, "--");
        if (separator < 0 || separator == args.Length - 1)
        {
            problem = "no COMMAND: write it after --";
            return false;
        }

        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, variable) in s_names)
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value)
                given[name] = value;
        for (var i = 0; i < separator; i++)
        {
            var (name, value) = args[i].Split('=', 2) is [var left, var right] && left != "hollow" ? (left, right) : (args[i], i + 1 < separator ? args[++i] : "");
            if (!s_names.ContainsKey(name))
            {
                problem = $"unknown option {name}";
                return false;
            }

            given[name] = value;
        }

        var result = new BedOptions { Command = args[(separator + 1)..] };
        foreach (var (name, value) in given)
        {
            BedOptions? next = (name, value) switch
            {
                ("--nodes", "none") => result with { RealNode = false },
                ("--nodes", "real") => result with { RealNode = true },
                ("--nodes", _) when value.StartsWith("hollow=", StringComparison.Ordinal)
                    && int.TryParse(value[7..], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 50
                    => result with { RealNode = false, HollowNodes = count },
                ("--prometheus", "yes" or "no") => result with { Prometheus = value == "yes" },
                ("--gateway", "yes" or "no") => result with { Gateway = value == "yes" },
                ("--scrape-interval", { Length: > 0 }) => result with { ScrapeInterval = value },
                ("--images", { Length: > 0 }) => result with { Images = Path.GetFullPath(value) },
                ("--keep-logs", { Length: > 0 }) => result with { KeepLogs = Path.GetFullPath(value) },
                _ => null,
            };
            if (next is null)
            {
                problem = $"{name}: '{value}' is not allowed";
                return false;
            }

            result = next;
        }

        var images = Path.GetFullPath("artifacts/images");
        options = result.Images is null && Directory.Exists(images) ? result with { Images = images } : result;
        problem = null;
        return true;
    }

    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["--nodes"] = "BED_NODES",
        ["--prometheus"] = "BED_PROMETHEUS",
        ["--gateway"] = "BED_GATEWAY",
        ["--scrape-interval"] = "BED_SCRAPE",
        ["--images"] = "BED_IMAGES",
        ["--keep-logs"] = "BED_KEEP_LOGS",
    };
}
