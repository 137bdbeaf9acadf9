using RagOperator.Engine.Sla;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>The questions that find out why a query has no data.</summary>
public sealed class SeriesProbeTests
{
    private static string Render(string text) => text.Replace("$(service)", "s1", StringComparison.Ordinal).Replace("$(window)", "1m", StringComparison.Ordinal);

    [Fact]
    public void Preset_of_errors_is_asked_for_its_label()
    {
        var probe = SeriesProbes.Of(Api.MetricPresets.BuiltIn[Api.MetricPresets.HttpErrorRate], Render)!;
        Assert.Equal(
            ("http_requests_total", "service=\"s1\"", "count(http_requests_total)", "count(http_requests_total{service=\"s1\"})", "max(count_over_time(http_requests_total{service=\"s1\"}[1m]))"),
            (probe.Name, probe.Own, probe.NameQuery, probe.SeriesQuery, probe.SamplesQuery));
        Assert.Equal([("code", "count(http_requests_total{service=\"s1\",code!=\"\"})")], probe.LabelQueries);
    }

    [Theory]
    [InlineData("a{service=\"$(service)\"}", "no window")]
    [InlineData("histogram_quantile(0.9, sum by (le) (rate(a{service=\"$(service)\",le=\"1\",x!=\"y\",z=\"\"}[$(window)])))", "window")]
    [InlineData("a{x=\"y\"} / on() a{service=\"$(service)\",b=\"1\",c=\"1\",d=\"1\",e=\"1\"}", "no window x b c")]
    [InlineData("sum(a{x=\"y\"})", "")]
    [InlineData("vector(0)", "")]
    public void Probe_asks_little(string query, string expected)
    {
        var probe = SeriesProbes.Of(query, Render);
        Assert.Equal(expected, probe is null ? "" : string.Join(' ', probe.LabelQueries.Select(static l => l.Label).Prepend(probe.SamplesQuery is null ? "no window" : "window")));
    }
}
