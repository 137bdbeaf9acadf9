using System.Text.Json;

namespace RagOperator.GitOps.Tests.Monitoring;

/// <summary>The Grafana dashboard of the chart. Whether its queries have data is for the cluster tests.</summary>
public sealed class DashboardTests
{
    private static readonly JsonElement s_dashboard = JsonElement.Parse(Repository.Read("charts/rag-operator/files/dashboards/rag-operator.json"));

    private static readonly IReadOnlyList<JsonElement> s_panels = [.. s_dashboard.GetProperty("panels").EnumerateArray().Where(static p => Text(p, "type") != "row")];

    [Fact]
    public void Queries_name_only_metrics_and_labels_that_exist()
    {
        var troubles = s_panels.SelectMany(static p => p.GetProperty("targets").EnumerateArray().SelectMany(t => MetricContract.Troubles(Text(t, "expr")).Select(x => $"{Text(p, "title")}: {x}"))).ToList();
        Assert.Empty(troubles);
        Assert.Empty(s_dashboard.GetProperty("annotations").GetProperty("list").EnumerateArray().SelectMany(static a => MetricContract.Troubles(Text(a, "expr"))));
    }

    [Fact]
    public void Panels_are_of_kinds_that_are_not_deprecated_and_explain_themselves()
    {
        Assert.True(s_panels.Count >= 10);
        Assert.All(s_panels, static p =>
        {
            Assert.Contains(Text(p, "type"), (string[])["timeseries", "stat", "state-timeline", "table", "gauge", "heatmap"]);
            Assert.NotEqual("", Text(p, "description"));
            Assert.NotEqual("", Text(p.GetProperty("fieldConfig").GetProperty("defaults"), "unit"));
            Assert.NotEmpty(p.GetProperty("targets").EnumerateArray());
            Assert.Equal("${datasource}", Text(p.GetProperty("datasource"), "uid"));
        });
        var ids = s_dashboard.GetProperty("panels").EnumerateArray().Select(static p => p.GetProperty("id").GetInt32()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Equal(s_panels.Count, s_panels.Select(static p => Text(p, "title")).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Panels_do_not_lie_over_each_other()
    {
        var places = s_dashboard.GetProperty("panels").EnumerateArray().Select(static p => p.GetProperty("gridPos"))
            .SelectMany(static g => from x in Enumerable.Range(N(g, "x"), N(g, "w")) from y in Enumerable.Range(N(g, "y"), N(g, "h")) select (x, y)).ToList();
        Assert.All(places, static p => Assert.InRange(p.x, 0, 23));
        Assert.Equal(places.Count, places.Distinct().Count());

        static int N(JsonElement g, string name) => g.GetProperty(name).GetInt32();
    }

    [Fact]
    public void Variables_are_the_data_source_the_namespace_and_the_name() =>
        Assert.Equal(["datasource", "namespace", "name"], s_dashboard.GetProperty("templating").GetProperty("list").EnumerateArray().Select(static v => Text(v, "name")));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
