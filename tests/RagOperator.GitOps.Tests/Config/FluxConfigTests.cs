using System.Text.Json.Nodes;
using RagOperator.GitOps.Tests.Health;
using RagOperator.Tests.Shared.Expressions;
using YamlDotNet.RepresentationModel;

namespace RagOperator.GitOps.Tests.Config;

/// <summary>Flux' health expressions, evaluated as Flux does, on captured objects.</summary>
public sealed class FluxConfigTests
{
    [Theory]
    [InlineData("services.yaml", false)]
    [InlineData("services-holding.yaml", true)]
    public void Expressions_say_what_Argo_CD_says(string file, bool holding)
    {
        var check = Load(Repository.Read($"config/flux/{file}"))["spec"]["healthCheckExprs"][0];
        Assert.Equal(("ragoperator.dev/v1alpha1", "RagDeployment"), (Text(check, "apiVersion"), Text(check, "kind")));
        foreach (var expected in Expected.All)
        {
            var item = JsonNode.Parse(File.ReadAllText(Expected.FileOf(Repository.Root, expected.Name)))!.AsObject();
            var argo = holding ? expected.Holding : expected.Argo;
            var says = Evaluate(check, item);
            Assert.True(says == (argo switch { "Healthy" => "Current", "Degraded" => "Failed", _ => "InProgress" }), $"{expected.Name}: Argo CD {argo}, Flux {says}");
            if (!holding && expected.Name != "deleting")
                Assert.Equal(expected.KStatus, says);
        }
    }

    /// <summary>As Flux does: the generation first, then in progress, failed, current; none of them is in progress.</summary>
    private static string Evaluate(YamlNode check, JsonObject item)
    {
        if (item["status"]!["observedGeneration"]!.GetValue<long>() != item["metadata"]!["generation"]!.GetValue<long>())
            return "InProgress";
        return Holds("inProgress") ? "InProgress" : Holds("failed") ? "Failed" : Holds("current") ? "Current" : "InProgress";

        bool Holds(string name) => new CelExpression(Text(check, name)).Holds("status", item["status"]!);
    }

    private static YamlNode Load(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }

    private static string Text(YamlNode node, string key) => ((YamlScalarNode)node[key]).Value!;
}
