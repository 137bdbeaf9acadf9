using System.Text.Json;
using RagOperator.TestBed.Gateway;

namespace RagOperator.TestBed;

/// <summary>The gateway from a test's side: the truth about shares, and its faults.</summary>
/// <param name="folder">The gateway's.</param>
public sealed class GatewayView(string folder)
{
    private readonly string _log = Path.Combine(folder, "access.log");

    /// <summary>This moment, for <see cref="Since"/>.</summary>
    public GatewayMark Mark() => new(File.Exists(_log) ? new FileInfo(_log).Length : 0, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>
    /// Requests that arrived after <paramref name="mark"/> and were answered, optionally of one route (<c>namespace/name</c>). One that
    /// was on its way at the mark is not among them: its backend was chosen before.
    /// </summary>
    public GatewayCounts Since(GatewayMark mark, string? route = null) =>
        GatewayCounts.Of(Lines(mark.Offset).Where(request => request.Time - request.Seconds > mark.Time && (route is null || request.Route == route)));

    /// <summary>Routes (<c>namespace/name</c>) that are not accepted from now on; what they served before stays.</summary>
    public void Refuse(params string[] routes) => (GatewayControl.Read(folder) with { Refuse = routes.ToHashSet(StringComparer.Ordinal) }).Write(folder);

    /// <summary>Whether it takes no notice of anything any more.</summary>
    public void Freeze(bool on) => (GatewayControl.Read(folder) with { Freeze = on }).Write(folder);

    /// <summary>How late it takes notice of a route's change.</summary>
    public void Lag(TimeSpan lag) => (GatewayControl.Read(folder) with { Lag = lag }).Write(folder);

    /// <summary>No faults any more.</summary>
    public void Heal() => GatewayControl.None.Write(folder);

    private IEnumerable<GatewayRequest> Lines(long mark)
    {
        if (!File.Exists(_log))
            yield break;
        using var stream = new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(mark, SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.EndsWith('}'))
                yield break; // being written
            var json = JsonElement.Parse(line);
            yield return new GatewayRequest(
                json.GetProperty("time").GetDouble(), json.GetProperty("route").GetString()!, json.GetProperty("service").GetString()!,
                json.GetProperty("status").GetInt32(), json.GetProperty("seconds").GetDouble(), json.GetProperty("uri").GetString()!);
        }
    }
}

/// <summary>A moment in the gateway's log.</summary>
/// <param name="Offset">Bytes of the log.</param>
/// <param name="Time">Unix seconds.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct GatewayMark(long Offset, double Time);

/// <summary>One line of the gateway's access log.</summary>
/// <param name="Time">Unix seconds, when it was answered.</param>
/// <param name="Route">namespace/name.</param>
/// <param name="Service">The Service that answered, namespace/name; empty if none did.</param>
/// <param name="Status">HTTP status to the client.</param>
/// <param name="Seconds">From the request's first byte to the answer's last.</param>
/// <param name="Uri">Path and query.</param>
public sealed record GatewayRequest(double Time, string Route, string Service, int Status, double Seconds, string Uri);

/// <summary>Requests counted at the gateway.</summary>
/// <param name="Requests">Each one.</param>
public sealed record GatewayCounts(IReadOnlyList<GatewayRequest> Requests)
{
    /// <summary>How many.</summary>
    public int Total => Requests.Count;

    /// <summary>By Service (namespace/name).</summary>
    public IReadOnlyDictionary<string, int> ByService => Requests.GroupBy(request => request.Service, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    /// <summary>By HTTP status.</summary>
    public IReadOnlyDictionary<int, int> ByStatus => Requests.GroupBy(request => request.Status).ToDictionary(group => group.Key, group => group.Count());

    /// <summary>The share, 0 to 100, that Services whose name satisfies <paramref name="service"/> answered; 0 without requests.</summary>
    public double Share(Func<string, bool> service) => Total == 0 ? 0 : 100.0 * Requests.Count(request => service(request.Service)) / Total;

    internal static GatewayCounts Of(IEnumerable<GatewayRequest> requests) => new([.. requests]);
}
