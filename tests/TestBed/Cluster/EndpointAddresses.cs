using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Cluster;

/// <summary>One ready address of a Service.</summary>
/// <param name="Address">The pod's.</param>
/// <param name="Port">The pod's, not the Service's.</param>
/// <param name="PortName">The Service's port that leads there; empty when it has only one.</param>
internal sealed record EndpointAddress(string Address, int Port, string PortName);

/// <summary>Reads Endpoints objects.</summary>
internal static class EndpointAddresses
{
    public static IReadOnlyList<EndpointAddress> Of(JsonObject? endpoints)
    {
        var found = new List<EndpointAddress>();
        foreach (var subset in endpoints?["subsets"]?.AsArray() ?? [])
            foreach (var address in subset!["addresses"]?.AsArray() ?? [])
                foreach (var port in subset["ports"]?.AsArray() ?? [])
                    found.Add(new(address!["ip"]!.GetValue<string>(), port!["port"]!.GetValue<int>(), port["name"]?.GetValue<string>() ?? ""));
        return found;
    }
}
