using System.Collections.Concurrent;
using System.Text;

namespace RagOperator.SampleService;

/// <summary>Counts and times the requests that clients make (probes and scrapes are not among them), and writes them in Prometheus' text format.</summary>
internal sealed class RequestMetrics
{
    private static readonly double[] s_buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10];
    private readonly ConcurrentDictionary<(string Handler, string Method, int Code), long> _requests = new();
    private readonly ConcurrentDictionary<(string Handler, string Method), Histogram> _durations = new();

    /// <summary>Makes the handler's series exist from the start, so that the first request is an increase.</summary>
    public void Announce(string handler, string method)
    {
        _requests.TryAdd((handler, method, 200), 0);
        _durations.TryAdd((handler, method), new Histogram(s_buckets.Length));
    }

    public void Record(string handler, string method, int code, TimeSpan duration)
    {
        _requests.AddOrUpdate((handler, method, code), 1, (_, count) => count + 1);
        _durations.GetOrAdd((handler, method), _ => new Histogram(s_buckets.Length)).Record(s_buckets, duration.TotalSeconds);
    }

    public string Render()
    {
        var text = new StringBuilder();
        text.Append("# HELP http_requests_total Requests answered.\n# TYPE http_requests_total counter\n");
        foreach (var ((handler, method, code), count) in _requests)
            text.Append($"http_requests_total{{code=\"{code}\",method=\"{method}\",handler=\"{handler}\"}} {count}\n");
        text.Append("# HELP http_request_duration_seconds Time to answer.\n# TYPE http_request_duration_seconds histogram\n");
        foreach (var ((handler, method), histogram) in _durations)
            histogram.Render(text, s_buckets, $"method=\"{method}\",handler=\"{handler}\"");
        text.Append("# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n");
        text.Append($"process_resident_memory_bytes {Environment.WorkingSet}\n");
        text.Append("# HELP process_cpu_seconds_total User and system time.\n# TYPE process_cpu_seconds_total counter\n");
        text.Append($"process_cpu_seconds_total {Environment.CpuUsage.TotalTime.TotalSeconds}\n");
        return text.ToString();
    }

    private sealed class Histogram(int buckets)
    {
        private readonly Lock _lock = new();
        private readonly long[] _counts = new long[buckets];
        private double _sum;
        private long _count;

        public void Record(double[] bounds, double value)
        {
            lock (_lock)
            {
                for (var i = 0; i < bounds.Length; i++)
                    if (value <= bounds[i])
                        _counts[i]++;
                _sum += value;
                _count++;
            }
        }

        public void Render(StringBuilder text, double[] bounds, string labels)
        {
            lock (_lock)
            {
                for (var i = 0; i < bounds.Length; i++)
                    text.Append($"http_request_duration_seconds_bucket{{{labels},le=\"{bounds[i]}\"}} {_counts[i]}\n");
                text.Append($"http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {_count}\n");
                text.Append($"http_request_duration_seconds_sum{{{labels}}} {_sum}\n");
                text.Append($"http_request_duration_seconds_count{{{labels}}} {_count}\n");
            }
        }
    }
}
