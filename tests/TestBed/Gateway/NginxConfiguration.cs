using System.Globalization;
using System.Text;

namespace RagOperator.TestBed.Gateway;

/// <summary>
/// nginx' configuration for a set of routes. A route's rule is one upstream of pods, each with its share of its Service's weight:
/// nginx spreads requests over it by smooth weighted round robin, which is exact, not random. One worker, so that there is one count.
/// </summary>
internal static class NginxConfiguration
{
    /// <summary>A server of our own that answers 500 for what does not exist and 503 for what has no ready pod.</summary>
    private const int MissingPort = 8500;
    private const int EmptyPort = 8503;
    public const int StatusPort = 8081;

    public static string Write(string folder, IReadOnlyList<RoutePlan> routes)
    {
        var upstreams = new StringBuilder();
        var owners = new StringBuilder();
        var hosts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var number = 0;
        foreach (var route in routes)
            foreach (var rule in route.Rules)
            {
                var id = $"u{number++}";
                var location = rule.Backends.Count == 0
                    ? Location(rule, route.Key, "return 500;")
                    : Location(rule, route.Key, $"proxy_pass http://{id};{Timeouts(rule)}");
                if (rule.Backends.Count > 0)
                    WriteUpstream(upstreams, owners, id, route.Key, rule);
                foreach (var host in route.Hostnames.Count == 0 ? ["_"] : route.Hostnames)
                {
                    if (!hosts.TryGetValue(host, out var locations))
                        hosts[host] = locations = [];
                    // The older route wins where two say the same, as the Gateway API wants it (routes come in that order).
                    if (!locations.Exists(other => other.StartsWith(location[..location.IndexOf('{', StringComparison.Ordinal)], StringComparison.Ordinal)))
                        locations.Add(location);
                }
            }

        var servers = new StringBuilder();
        foreach (var (host, locations) in hosts)
            servers.Append($"  server {{ listen 8080{(host == "_" ? " default_server" : "")}; server_name {host};\n    {string.Join("\n    ", locations)}\n  }}\n");
        if (!hosts.ContainsKey("_"))
            servers.Append("  server { listen 8080 default_server; server_name _; return 404; }\n");

        return $$"""
            # written by the bed's gateway
            daemon off;
            worker_processes 1;
            worker_shutdown_timeout 30s;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log notice;
            events { worker_connections 8192; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
              server_names_hash_bucket_size 256; map_hash_bucket_size 256; map_hash_max_size 65536;
              # A worker that makes way for a new configuration closes its idle connections at once, and a request that is on its way on one
              # of them meets a reset. One request a connection: nobody keeps one that could be closed under him.
              keepalive_timeout 0;
              # the last address that was tried is the one that answered
              map $upstream_addr $bed_last { default ""; "~(?<last>[^ ,]+)$" $last; }
              map "$bed_route $bed_last" $bed_service { default "";
            {{owners}}  }
              log_format bed escape=json '{"time":$msec,"route":"$bed_route","service":"$bed_service","status":$status,"seconds":$request_time,"method":"$request_method","uri":"$request_uri","upstream":"$upstream_addr","upstreamStatus":"$upstream_status"}';
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $host;
              proxy_set_header X-Request-Id $request_id;
              proxy_connect_timeout 2s;
              # Only what never reached a pod, or broke off before a byte of the answer, is tried at another; never an answer of 5xx, and
              # never what is not idempotent once it was sent (nginx' own rule).
              proxy_next_upstream error;
              proxy_next_upstream_tries 3;
            {{upstreams}}
              server { listen {{MissingPort}}; return 500; }
              server { listen {{EmptyPort}}; return 503; }
              server { listen {{StatusPort}}; location / { set $bed_route ""; return 200 "ok"; } }
            {{servers}}}

            """;
    }

    private static void WriteUpstream(StringBuilder upstreams, StringBuilder owners, string id, string route, PlannedRule rule)
    {
        // A pod's weight is its Service's divided by the number of pods; common factors keep all of them whole.
        var common = rule.Backends.Aggregate(1L, (product, backend) => Lcm(product, Math.Max(1, backend.Addresses.Count)));
        var shares = new List<(string Service, string Address, long Weight)>();
        for (var i = 0; i < rule.Backends.Count; i++)
        {
            var backend = rule.Backends[i];
            // Loopback addresses by position, so that the log can tell whose share it was.
            IReadOnlyList<string> addresses = !backend.Exists ? [$"127.1.0.{i + 1}:{MissingPort}"] : backend.Addresses.Count == 0 ? [$"127.1.0.{i + 1}:{EmptyPort}"] : backend.Addresses;
            shares.AddRange(addresses.Select(address => (backend.Service, address, backend.Weight * common / addresses.Count)));
        }

        var divisor = shares.Aggregate(0L, (left, share) => Gcd(left, share.Weight));
        upstreams.Append($"  upstream {id} {{");
        foreach (var (service, address, weight) in shares)
        {
            upstreams.Append(CultureInfo.InvariantCulture, $" server {address} weight={weight / divisor} max_fails=0;");
            owners.Append($"    \"{route} {address}\" \"{service}\";\n");
        }

        upstreams.Append(" keepalive 64; }\n");
    }

    private static string Location(PlannedRule rule, string route, string action)
    {
        // A prefix by path elements, /a for /a and /a/b but not /ab, is what (/|$) says.
        var pattern = rule.Exact ? $"= {Quoted(rule.Path)}" : rule.Path == "/" ? "/" : $"~ {Quoted("^" + Escaped(rule.Path.TrimEnd('/')) + "(/|$)")}";
        return $"location {pattern} {{ set $bed_route \"{route}\"; access_log access.log bed; {action} }}";
    }

    private static string Timeouts(PlannedRule rule) =>
        rule.Timeout is { } timeout ? $" proxy_read_timeout {(long)timeout.TotalMilliseconds}ms; proxy_send_timeout {(long)timeout.TotalMilliseconds}ms;" : "";

    private static string Escaped(string path)
    {
        var text = new StringBuilder();
        foreach (var letter in path)
            text.Append(char.IsAsciiLetterOrDigit(letter) || letter is '/' or '-' or '_' ? letter : '.');
        return text.ToString();
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)}\"";

    private static long Gcd(long left, long right) => right == 0 ? left : Gcd(right, left % right);

    private static long Lcm(long left, long right) => left / Gcd(left, right) * right;
}
