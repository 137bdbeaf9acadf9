using System.Text.Json.Nodes;
using RagOperator.Tests.Shared;

namespace RagOperator.Chart.Tests;

/// <summary>What values are refused, and whether all are told of.</summary>
public sealed class ValuesTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [SkippableTheory]
    [InlineData("replicacount: 2", "(root): Additional property replicacount is not allowed")]
    [InlineData("image: {tga: v1}", "image: Additional property tga is not allowed")]
    [InlineData("metrics: {serviceMonitor: {enable: true}}", "metrics.serviceMonitor: Additional property enable is not allowed")]
    [InlineData("metricSources: {default: {url: 'http://x', tokenSecret: {name: a, key: b}}}", "metricSources.default: Additional property tokenSecret is not allowed")]
    [InlineData("metricSources: {default: {bearerTokenSecret: {name: a, key: b}}}", "metricSources.default: url is required")]
    [InlineData("metricSources: {default: {url: 'http://me:secret@x'}}", "metricSources.default.url: Does not match pattern")]
    [InlineData("metricSources: {default: {url: 'http://x', basicAuth: {username: a, password: b}}}", "metricSources.default.basicAuth: Additional property password is not allowed")]
    [InlineData("metricSources: {default: {url: 'http://x', bearerTokenSecret: {name: a}}}", "metricSources.default.bearerTokenSecret: key is required")]
    [InlineData("watchNamespaces: rag", "watchNamespaces: Invalid type")]
    [InlineData("watchNamespaces: [Rag]", "watchNamespaces.0: Does not match pattern")]
    [InlineData("logLevel: verbose", "logLevel: logLevel must be one of the following")]
    [InlineData("webhook: {failurePolicy: ignore}", "webhook.failurePolicy: webhook.failurePolicy must be one of the following")]
    [InlineData("webhook: {timeoutSeconds: 60}", "webhook.timeoutSeconds: Must be less than or equal to 30")]
    [InlineData("leaderElection: {leaseDuration: 15}", "leaderElection.leaseDuration: Invalid type")]
    [InlineData("terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds: Must be greater than or equal to 30")]
    [InlineData("image: {digest: abc}", "image.digest: Does not match pattern")]
    public void A_mistake_is_refused_with_its_path(string values, string problem)
    {
        var (_, error, code) = Render(values);
        Assert.Equal(3, code);
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("leaderElection: {enabled: false}", "replicaCount above 1 needs leaderElection.enabled")]
    [InlineData("{requests: {requireIdentity: true}, webhook: {enabled: false}}", "requests.requireIdentity needs webhook.enabled")]
    [InlineData("{requests: {requireIdentity: true}, webhook: {enabled: true}, watchNamespaces: [rag]}", "requests.requireIdentity needs webhook.enabled")]
    [InlineData("serviceAccount: {create: false}", "serviceAccount.name is needed")]
    public void What_does_not_go_together_is_refused(string values, string problem)
    {
        var (_, error, code) = Render(values);
        Assert.Equal(1, code);
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Schema_and_values_name_the_same_keys()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.schema.json")))!.AsObject();
        var values = YamlJson.Parse(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.yaml")))!.AsObject();
        Assert.Equal(Keys(values, schema).Order(StringComparer.Ordinal), KeysOf(schema).Where(k => k != "global").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_of_values_is_current() => Golden.Hold("docs/values.md", ValuesPage.Text());

    private (string Out, string Error, int Code) Render(string values)
    {
        Skip.If(HelmChart.Missing is not null, HelmChart.Missing);
        File.WriteAllText(_file, values);
        return HelmChart.Run("-values", _file, HelmChart.Folder);
    }

    // Below a map that the schema leaves open there are no keys of the chart's own.
    private static IEnumerable<string> Keys(JsonObject values, JsonObject schema, string path = "")
    {
        var properties = schema["properties"]!.AsObject();
        foreach (var (key, value) in values)
        {
            if (properties[key] is JsonObject { } sub && sub["properties"] is JsonObject && sub["additionalProperties"] is JsonValue && path + key != "resources")
            {
                foreach (var below in Keys(value!.AsObject(), sub, $"{path}{key}.")) yield return below;
            }
            else
            {
                yield return path + key;
            }
        }
    }

    private static IEnumerable<string> KeysOf(JsonObject schema, string path = "") => schema["properties"]!.AsObject().SelectMany(property =>
        property.Value is JsonObject sub && sub["properties"] is JsonObject && sub["additionalProperties"] is JsonValue && path + property.Key != "resources"
            ? KeysOf(sub, $"{path}{property.Key}.")
            : [path + property.Key]);
}
