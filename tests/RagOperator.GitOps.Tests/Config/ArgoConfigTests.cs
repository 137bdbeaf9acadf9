using System.Text;
using RagOperator.GitOps.Tests.Health;
using YamlDotNet.RepresentationModel;

namespace RagOperator.GitOps.Tests.Config;

/// <summary>config/argocd says the same as the chart's scripts. <c>UPDATE_ARGOCD=1</c> writes it anew from them.</summary>
public sealed class ArgoConfigTests
{
    private const string HealthKey = "resource.customizations.health.ragoperator.dev_RagDeployment";
    private const string ActionsKey = "resource.customizations.actions.ragoperator.dev_RagDeployment";
    private static readonly string[] s_actions = ["approve", "promote", "pause", "resume", "abort", "retry"];

    [Theory]
    [InlineData("health", "argocd-cm.yaml")]
    [InlineData("health-holding", "argocd-cm-holding.yaml")]
    public void Config_map_holds_the_charts_scripts(string health, string file)
    {
        var path = Path.Combine(Repository.Root, "config/argocd", file);
        var wanted = Render(health);
        if (Environment.GetEnvironmentVariable("UPDATE_ARGOCD") == "1")
            File.WriteAllText(path, wanted);
        Assert.Equal(wanted, File.ReadAllText(path));

        // As Argo CD reads it: YAML, and YAML within it.
        var map = Load(File.ReadAllText(path));
        Assert.Equal(("argocd-cm", "argocd"), (Text(map["metadata"], "name"), Text(map["metadata"], "namespace")));
        Assert.Equal(Script(health), Text(map["data"], HealthKey));
        var actions = Load(Text(map["data"], ActionsKey));
        Assert.Equal(Script("actions/discovery"), Text(actions, "discovery.lua"));
        var definitions = ((YamlSequenceNode)actions["definitions"]).Select(static d => (Text(d, "name"), Text(d, "action.lua")));
        Assert.Equal(s_actions.Select(static a => (a, Script($"actions/{a}"))), definitions);
    }

    [Fact]
    public void Every_action_that_is_discovered_is_defined()
    {
        var discovery = Script("actions/discovery");
        Assert.All(s_actions, a => Assert.Contains($"actions[\"{a}\"] = ", discovery, StringComparison.Ordinal));
        Assert.Equal(s_actions.Length, discovery.Split("actions[\"").Length - 1);
        var files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "charts/rag-operator/files/argocd/actions")).Select(static f => Path.GetFileNameWithoutExtension(f));
        Assert.Equal(s_actions.Append("discovery").Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
    }

    private static string Render(string health)
    {
        var text = new StringBuilder();
        text.Append(
            $$"""
            # Keys for Argo CD's ConfigMap argocd-cm, from charts/rag-operator/files/argocd (a test holds them equal). To be patched into it, which
            # leaves its other keys alone: docs/argocd.md.
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: argocd-cm
              namespace: argocd
            data:
              {{HealthKey}}: |
            {{Indented(Script(health), 4)}}  {{ActionsKey}}: |
                discovery.lua: |
            {{Indented(Script("actions/discovery"), 6)}}    definitions:

            """);
        foreach (var action in s_actions)
            text.Append($"      - name: {action}\n        action.lua: |\n{Indented(Script($"actions/{action}"), 10)}");
        return text.ToString();
    }

    private static string Script(string name) => Expected.Script(Repository.Root, name);

    private static string Indented(string text, int spaces) =>
        string.Concat(text.TrimEnd('\n').Split('\n').Select(line => line.Length == 0 ? "\n" : $"{new string(' ', spaces)}{line}\n"));

    private static YamlNode Load(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }

    private static string Text(YamlNode node, string key) => ((YamlScalarNode)node[key]).Value!;
}
