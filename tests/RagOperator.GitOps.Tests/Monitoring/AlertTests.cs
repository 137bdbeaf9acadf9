using System.Diagnostics;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace RagOperator.GitOps.Tests.Monitoring;

/// <summary>The alerts of the chart.</summary>
public sealed partial class AlertTests
{
    private const string Rules = "charts/rag-operator/files/alerts.yaml";

    private static readonly IReadOnlyList<YamlMappingNode> s_alerts = Read();

    /// <summary>The commands of docs/monitoring.md, as they stand there: the rules are well-formed, and fire when they should and not before.</summary>
    [SkippableFact]
    public async Task Alerts_pass_the_commands_of_the_docs()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        Skip.IfNot(folders.Any(static d => File.Exists(Path.Combine(d, "promtool"))), "needs promtool (Debian package prometheus)");
        var commands = Command().Matches(Repository.Read("docs/monitoring.md")).Select(static m => m.Groups["arguments"].Value.Split(' ')).ToList();
        Assert.Equal(2, commands.Count);
        foreach (var arguments in commands)
        {
            var start = new ProcessStartInfo("promtool", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            using var process = Process.Start(start)!;
            var said = string.Concat(await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()));
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, said);
        }
    }

    [Fact]
    public void Every_alert_is_tested_to_fire()
    {
        var tested = Repository.Read("tests/RagOperator.GitOps.Tests/Monitoring/alerts_test.yaml");
        var fired = Fired().Matches(tested).Select(static m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        Assert.Equal(s_alerts.Select(static a => Text(a, "alert")).Order(StringComparer.Ordinal), fired);
    }

    [Fact]
    public void Alerts_name_only_metrics_and_labels_that_exist() =>
        Assert.Empty(s_alerts.SelectMany(static a => MetricContract.Troubles(Text(a, "expr")).Select(t => $"{Text(a, "alert")}: {t}")));

    [Fact]
    public void Every_alert_says_what_happened_and_where_to_read_on()
    {
        var page = Repository.Read("docs/monitoring.md");
        foreach (var alert in s_alerts)
        {
            var (name, annotations) = (Text(alert, "alert"), (YamlMappingNode)alert["annotations"]);
            foreach (var annotation in (string[])["summary", "description"])
            {
                Assert.NotEqual("", Text(annotations, annotation));
                var used = Used().Matches(Text(annotations, annotation)).Select(static m => m.Groups["label"].Value);
                Assert.Empty(used.Except(PromQl.GroupedBy(Text(alert, "expr"))));
            }

            Assert.Contains(Text((YamlMappingNode)alert["labels"], "severity"), (string[])["info", "warning", "critical"]);
            Assert.Equal($"docs/monitoring.md#{name.ToLowerInvariant()}", Text(annotations, "runbook_url"));
            Assert.Contains($"\n### {name}\n", page, StringComparison.Ordinal);
        }

        Assert.Equal(s_alerts.Count, Heading().Count(page));
    }

    private static List<YamlMappingNode> Read()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(Rules)));
        return [.. ((YamlSequenceNode)stream.Documents[0].RootNode["groups"]).SelectMany(static g => (YamlSequenceNode)g["rules"]).Cast<YamlMappingNode>()];
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    [GeneratedRegex(@"alertname: (?<name>\w+)\n\s+eval_time: \w+\n\s+exp_alerts:\n\s+- exp_labels", RegexOptions.ExplicitCapture)]
    private static partial Regex Fired();

    [GeneratedRegex("^promtool (?<arguments>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Command();

    [GeneratedRegex(@"\$labels\.(?<label>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Used();

    [GeneratedRegex("^### Rag", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
