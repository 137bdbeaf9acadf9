using System.Text.Json;
using RagOperator.GitOps.Tests.Health;
using YamlDotNet.RepresentationModel;

namespace RagOperator.GitOps.Tests.Config;

/// <summary>
/// Flux' health expressions. There is no CEL interpreter here: each expression stands beside what it means in C#, the files may hold no other
/// ones, and what they mean is evaluated as Flux does, on captured objects.
/// </summary>
public sealed class FluxConfigTests
{
    private static readonly Dictionary<string, Func<JsonElement, bool>> s_meanings = new(StringComparer.Ordinal)
    {
        ["!has(status.phase) || status.phase in ['Progressing', 'Suspended']"] = static s => Phase(s) is "" or "Progressing" or "Suspended",
        ["!has(status.phase) || status.phase == 'Suspended' || (status.phase == 'Progressing' && !(has(status.canaryRevision) && has(status.stableRevision) && has(status.step) && status.step.state == 'Holding'))"] =
            static s => Phase(s) is "" or "Suspended" || (Phase(s) is "Progressing" && !(s.TryGetProperty("canaryRevision", out _) && s.TryGetProperty("stableRevision", out _) && s.TryGetProperty("step", out var step) && step.GetProperty("state").GetString() == "Holding")),
        ["status.phase == 'Degraded'"] = static s => Phase(s) is "Degraded",
        ["status.phase == 'Healthy'"] = static s => Phase(s) is "Healthy",
        ["status.phase in ['Healthy', 'Progressing']"] = static s => Phase(s) is "Healthy" or "Progressing",
    };

    [Theory]
    [InlineData("services.yaml", false)]
    [InlineData("services-holding.yaml", true)]
    public void Expressions_say_what_Argo_CD_says(string file, bool holding)
    {
        var check = Load(Repository.Read($"config/flux/{file}"))["spec"]["healthCheckExprs"][0];
        Assert.Equal(("ragoperator.dev/v1alpha1", "RagDeployment"), (Text(check, "apiVersion"), Text(check, "kind")));
        foreach (var expected in Expected.All)
        {
            var item = JsonElement.Parse(File.ReadAllText(Expected.FileOf(Repository.Root, expected.Name)));
            var argo = holding ? expected.Holding : expected.Argo;
            var says = Evaluate(check, item);
            Assert.True(says == (argo switch { "Healthy" => "Current", "Degraded" => "Failed", _ => "InProgress" }), $"{expected.Name}: Argo CD {argo}, Flux {says}");
            if (!holding && expected.Name != "deleting")
                Assert.Equal(expected.KStatus, says);
        }
    }

    /// <summary>As Flux does: the generation first, then in progress, failed, current; none of them is in progress.</summary>
    private static string Evaluate(YamlNode check, JsonElement item)
    {
        var status = item.GetProperty("status");
        if (status.GetProperty("observedGeneration").GetInt64() != item.GetProperty("metadata").GetProperty("generation").GetInt64())
            return "InProgress";
        return Holds("inProgress") ? "InProgress" : Holds("failed") ? "Failed" : Holds("current") ? "Current" : "InProgress";

        bool Holds(string name) => s_meanings[Text(check, name)](status);
    }

    private static string Phase(JsonElement status) => status.TryGetProperty("phase", out var phase) ? phase.GetString()! : "";

    private static YamlNode Load(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }

    private static string Text(YamlNode node, string key) => ((YamlScalarNode)node[key]).Value!;
}
