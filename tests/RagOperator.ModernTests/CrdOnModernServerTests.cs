using System.Net;
using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;
using RagOperator.Tests.Shared.Objects;

namespace RagOperator.ModernTests;

/// <summary>The CRD on a server that estimates what its rules cost, and evaluates them: the one of the test bed does neither.</summary>
public sealed class CrdOnModernServerTests(ModernServer server) : IClassFixture<ModernServer>
{
    private static readonly string s_samples = Path.Combine(AppContext.BaseDirectory, "samples");

    public static TheoryData<string> Samples() => [.. Directory.EnumerateFiles(s_samples, "*.yaml").Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Cases() => [.. SpecCase.All.Select(static c => c.Name)];

    [Fact]
    public void Crd_is_taken() => Assert.True(server.Installed.Code == HttpStatusCode.Created, server.Installed.Text);

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_is_taken(string file)
    {
        foreach (var item in YamlJson.ParseAll(await File.ReadAllTextAsync(Path.Combine(s_samples, file))).Where(static i => i?["kind"]?.GetValue<string>() == "RagDeployment"))
        {
            var (code, text) = await server.TryAsync(item!);
            Assert.True(code == HttpStatusCode.Created, text);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Case_is_refused_for_the_rules_that_the_list_names(string name)
    {
        var @case = SpecCase.All.Single(c => c.Name == name);
        var (code, text) = await server.TryAsync(@case.Object);

        Assert.True(code == (@case.Schema is "schema" or "cel" ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.Created), $"{code}: {text}");
        if (@case.Schema != "cel") return;
        var message = JsonNode.Parse(text)!["message"]!.GetValue<string>();
        Assert.All(@case.Rules, rule => Assert.Contains(rule, message, StringComparison.Ordinal));
    }
}
