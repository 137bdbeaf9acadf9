using System.Net;
using System.Net.Sockets;
using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Workloads;

/// <summary>The addresses behind a port of a Service: ready ones, with the number that the pods' own port has, in order. None where the port has no number
/// there, or is not TCP.</summary>
internal static class PortAddresses
{
    /// <summary>By the Service's slices.</summary>
    /// <param name="slices">The slices.</param>
    /// <param name="portName">The name of the Service's port.</param>
    public static IReadOnlyList<IPEndPoint> Of(IEnumerable<V1EndpointSlice> slices, string portName) => Known(slices
        .Select(s => (s.Endpoints, Port: s.Ports?.Find(p => string.Equals(p.Name, portName, StringComparison.Ordinal))))
        .Where(static s => s.Port is { Protocol: null or "TCP" })
        .SelectMany(static s => (s.Endpoints ?? []).Where(static e => e.Conditions?.Ready != false)
            .Select(e => (e.Addresses is [var first, ..] ? first : null, s.Port!.Port))));

    /// <summary>By the Service's Endpoints.</summary>
    /// <param name="endpoints">The Endpoints; null where they are not known.</param>
    /// <param name="portName">The name of the Service's port.</param>
    public static IReadOnlyList<IPEndPoint> Of(V1Endpoints? endpoints, string portName) => Known((endpoints?.Subsets ?? [])
        .Select(s => (s.Addresses, Port: s.Ports?.Find(p => string.Equals(p.Name, portName, StringComparison.Ordinal))))
        .Where(static s => s.Port is { Protocol: null or "TCP" })
        .SelectMany(static s => (s.Addresses ?? []).Select(a => (a.Ip, (int?)s.Port!.Port))));

    private static List<IPEndPoint> Known(IEnumerable<(string? Ip, int? Port)> addresses) =>
    [
        .. addresses
            .Select(static a => a.Port is > 0 and <= 65535 && IPAddress.TryParse(a.Ip, out var ip) && IsPods(ip) ? new IPEndPoint(ip, a.Port.Value) : null)
            .OfType<IPEndPoint>()
            .Distinct()
            .OrderBy(static a => a.ToString(), StringComparer.Ordinal),
    ];

    // People can write such objects, too: the operator asks nothing of its own node, and no metadata server of a cloud.
    private static bool IsPods(IPAddress ip)
    {
        var address = ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv6LinkLocal || address.IsIPv6Multicast) return false;
        return address.AddressFamily != AddressFamily.InterNetwork || address.GetAddressBytes() is not ([169, 254, ..] or [>= 224, ..]);
    }
}
