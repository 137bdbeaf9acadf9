namespace RagOperator.Api;

/// <summary>Queries that come with the operator, by the name that a metric's <c>preset</c> gives.</summary>
public static class MetricPresets
{
    /// <summary>Name of the share of answers with a 5xx code.</summary>
    public const string HttpErrorRate = "http-error-rate";

    /// <summary>Name of the 95th percentile of request durations, in seconds.</summary>
    public const string HttpLatencyP95 = "http-latency-p95";

    /// <summary>The queries by name. They ask for <c>http_requests_total</c> and <c>http_request_duration_seconds</c> with the label
    /// <c>service</c>, as Prometheus' Kubernetes service discovery gives it. A service without a single error has no 5xx series at all: it has
    /// none of its requests as errors, which is 0. A service whose counters lack the label <c>code</c> must have no data instead: nobody can tell its errors.</summary>
    public static IReadOnlyDictionary<string, string> BuiltIn { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [HttpErrorRate] =
            """
            (sum(rate(http_requests_total{service="$(service)",code=~"5.."}[$(window)])) or 0 * sum(rate(http_requests_total{service="$(service)",code!=""}[$(window)]))) / sum(rate(http_requests_total{service="$(service)"}[$(window)]))
            """,
        [HttpLatencyP95] =
            """
            histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service="$(service)"}[$(window)])))
            """,
    };
}
