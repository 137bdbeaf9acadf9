using System.Text;
using RagOperator.TestBed.Cluster;

namespace RagOperator.TestBed.Bed;

/// <summary>Cluster DNS: dnsmasq with one line for each Service's address, told to read them again after each change.</summary>
internal sealed class ClusterDns(ClusterClient client, Daemon dnsmasq)
{
    public const string HostsFile = BedPaths.Root + "/hosts";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var signal = new ChangeSignal();
        var services = new Mirror(client, "/api/v1/services", signal.Set);
        var endpoints = new Mirror(client, "/api/v1/endpoints", signal.Set);
        await Together.RunAsync(services.RunAsync(cancellationToken), endpoints.RunAsync(cancellationToken), TellAsync(services, endpoints, signal, cancellationToken));
    }

    private async Task TellAsync(Mirror services, Mirror endpoints, ChangeSignal signal, CancellationToken cancellationToken)
    {
        var last = "";
        while (true)
        {
            await signal.WaitAsync(cancellationToken);
            var text = Hosts(services, endpoints);
            if (text == last)
                continue;
            await File.WriteAllTextAsync(HostsFile + ".new", text, cancellationToken);
            File.Move(HostsFile + ".new", HostsFile, overwrite: true);
            dnsmasq.Signal(Signals.Hangup);
            last = text;
        }
    }

    private static string Hosts(Mirror services, Mirror endpoints)
    {
        var text = new StringBuilder();
        foreach (var service in services.Items)
        {
            var name = service["metadata"]!["name"]!.GetValue<string>();
            var ns = service["metadata"]!["namespace"]!.GetValue<string>();
            var address = service["spec"]?["clusterIP"]?.GetValue<string>() ?? "";
            if (address is not ("None" or ""))
                text.Append(address).Append(' ').Append(name).Append('.').Append(ns).Append(".svc.cluster.local\n");
            else
                foreach (var ready in EndpointAddresses.Of(endpoints.Find(ns, name)))
                    text.Append(ready.Address).Append(' ').Append(name).Append('.').Append(ns).Append(".svc.cluster.local\n");
        }

        return text.ToString();
    }
}
