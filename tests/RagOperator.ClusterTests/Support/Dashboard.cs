using System.Globalization;
using System.Text.Json;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Support;

/// <summary>The chart's Grafana dashboard, with its queries asked of the bed's Prometheus as Grafana would ask them.</summary>
internal static class Dashboard
{
    // Four scrapes of Prometheus's default minute, as Grafana reckons it. An operator that waits sends nothing to the API server: a few seconds alone may hold no request.
    private const string RateInterval = "4m";

    private static readonly JsonElement s_dashboard = JsonElement.Parse(File.ReadAllText(Path.Combine(ClusterBed.Repository, "charts/rag-operator/files/dashboards/rag-operator.json")));

    /// <summary>Waits until each query of the panels chosen has a number to show; fails with those that have none.</summary>
    /// <param name="space">Whose operator is scraped (<see cref="ClusterBed.ScrapeAsync"/>).</param>
    /// <param name="panels">Which panels, by title.</param>
    /// <param name="without">Queries that have nothing to show here, by a part of them.</param>
    public static async Task ShowsAsync(TestSpace space, Func<string, bool> panels, params string[] without)
    {
        var queries = (
            from panel in s_dashboard.GetProperty("panels").EnumerateArray()
            where panel.Text("type") != "row" && panels(panel.Text("title"))
            from target in panel.GetProperty("targets").EnumerateArray()
            let query = target.Text("expr")
            where !without.Any(w => query.Contains(w, StringComparison.Ordinal))
            select (Title: panel.Text("title"), Query: query.Replace("$namespace", space.Namespace, StringComparison.Ordinal).Replace("$name", "assistant", StringComparison.Ordinal)
                .Replace("$__rate_interval", RateInterval, StringComparison.Ordinal))).ToList();
        Assert.NotEmpty(queries);
        Assert.DoesNotContain(queries, static q => q.Query.Contains('$', StringComparison.Ordinal));
        using var http = new HttpClient();
        var empty = queries;
        try
        {
            await space.UntilAsync(async () =>
            {
                List<(string, string)> left = [];
                foreach (var (title, query) in empty)
                {
                    if (!await HasNumberAsync(http, new Uri(space.Bed.PrometheusUrl, $"/api/v1/query?query={Uri.EscapeDataString(query)}")))
                        left.Add((title, query));
                }

                empty = left;
                return empty.Count == 0;
            }, TimeSpan.FromSeconds(30), $"data in each of {queries.Count} queries");
        }
        catch (TimeoutException)
        {
            Assert.Fail($"without data:\n{string.Join('\n', empty.Select(static q => $"{q.Title}: {q.Query}"))}");
        }
    }

    private static async Task<bool> HasNumberAsync(HttpClient http, Uri address)
    {
        using var response = await http.GetAsync(address);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonElement.Parse(body).GetProperty("data").GetProperty("result").EnumerateArray()
            .Any(static s => double.IsFinite(double.Parse(s.GetProperty("value")[1].GetString()!.Replace("Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture)));
    }
}
