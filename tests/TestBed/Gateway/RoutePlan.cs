using System.Text.Json.Nodes;
using RagOperator.TestBed.Cluster;

namespace RagOperator.TestBed.Gateway;

/// <summary>One thing that requests are shared among.</summary>
/// <param name="Service">Its Service's name, with namespace.</param>
/// <param name="Weight">Its share's numerator.</param>
/// <param name="Exists">Whether the Service (and its port) is there. If not its share gets 500, as the Gateway API says.</param>
/// <param name="Addresses">Ready pods as <c>address:port</c>. None: its share gets 503.</param>
internal sealed record PlannedBackend(string Service, int Weight, bool Exists, IReadOnlyList<string> Addresses);

/// <param name="Path">What requests must match.</param>
/// <param name="Exact">The whole path, not a prefix by elements.</param>
/// <param name="Timeout">Or null for nginx' own, a minute.</param>
/// <param name="Backends">Those with a weight above 0; none: every request gets 500.</param>
internal sealed record PlannedRule(string Path, bool Exact, TimeSpan? Timeout, IReadOnlyList<PlannedBackend> Backends);

/// <summary>What a route means for nginx, and what is wrong with it.</summary>
/// <param name="Key">namespace/name.</param>
/// <param name="Hostnames">Empty for all.</param>
/// <param name="Rules">In order.</param>
/// <param name="Problem">Why references do not resolve, or null.</param>
internal sealed record RoutePlan(string Key, IReadOnlyList<string> Hostnames, IReadOnlyList<PlannedRule> Rules, string? Problem)
{
    public static RoutePlan Of(JsonObject route, Mirror services, Mirror endpoints)
    {
        var ns = route["metadata"]!["namespace"]!.GetValue<string>();
        var spec = route["spec"]!;
        string? problem = null;
        var rules = new List<PlannedRule>();
        foreach (var rule in spec["rules"]?.AsArray() ?? [])
        {
            var backends = new List<PlannedBackend>();
            foreach (var reference in rule!["backendRefs"]?.AsArray() ?? [])
            {
                var backend = BackendOf(ns, reference!, services, endpoints);
                if (!backend.Exists)
                    problem ??= $"no Service {backend.Service} with port {reference!["port"]?.ToString() ?? "(none given)"}";
                if (backend.Weight > 0)
                    backends.Add(backend);
            }

            var timeout = rule["timeouts"]?["request"]?.GetValue<string>() is { } text ? DurationOf(text) : null;
            foreach (var match in rule["matches"]?.AsArray() is { Count: > 0 } matches ? matches : new JsonArray(new JsonObject()))
                rules.Add(new PlannedRule(
                    match!["path"]?["value"]?.GetValue<string>() ?? "/",
                    match["path"]?["type"]?.GetValue<string>() == "Exact",
                    timeout == TimeSpan.Zero ? null : timeout,
                    backends));
        }

        return new RoutePlan($"{ns}/{route["metadata"]!["name"]!.GetValue<string>()}",
            [.. (spec["hostnames"]?.AsArray() ?? []).Select(host => host!.GetValue<string>())], rules, problem);
    }

    private static PlannedBackend BackendOf(string routeNamespace, JsonNode reference, Mirror services, Mirror endpoints)
    {
        var ns = reference["namespace"]?.GetValue<string>() ?? routeNamespace;
        var name = reference["name"]!.GetValue<string>();
        var weight = reference["weight"]?.GetValue<int>() ?? 1;
        var wanted = reference["port"]?.GetValue<int>();
        var port = services.Find(ns, name)?["spec"]?["ports"]?.AsArray().FirstOrDefault(candidate => candidate!["port"]!.GetValue<int>() == wanted);
        if (port is null)
            return new($"{ns}/{name}", weight, false, []);
        var portName = port["name"]?.GetValue<string>() ?? "";
        return new($"{ns}/{name}", weight, true,
            [.. EndpointAddresses.Of(endpoints.Find(ns, name)).Where(address => address.PortName == portName).Select(address => $"{address.Address}:{address.Port}").Order(StringComparer.Ordinal)]);
    }

    // GEP-2257: 1h30m, 300s, 500ms
    private static TimeSpan? DurationOf(string text)
    {
        var total = TimeSpan.Zero;
        var digits = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                digits = (digits * 10) + (text[i] - '0');
                continue;
            }

            var unit = text[i] == 'm' && i + 1 < text.Length && text[i + 1] == 's' ? "ms" : text[i..(i + 1)];
            i += unit.Length - 1;
            total += unit switch { "h" => TimeSpan.FromHours(digits), "m" => TimeSpan.FromMinutes(digits), "s" => TimeSpan.FromSeconds(digits), _ => TimeSpan.FromMilliseconds(digits) };
            digits = 0;
        }

        return total;
    }
}
