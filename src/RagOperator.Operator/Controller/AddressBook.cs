using System.Net;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Children;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Controller;

/// <summary>The ready addresses behind Services: by EndpointSlices where the server has them, else by Endpoints.</summary>
internal sealed class AddressBook(Cluster cluster)
{
    /// <summary>Ready addresses behind the object's own Services, by Service name, as the caches and live looks have them.</summary>
    public IReadOnlyDictionary<string, int> Ready(ChildOwner owner, ObjectMemory memory, IReadOnlyDictionary<string, V1Service> services) => cluster.UsesSlices
        ? memory.Ledger.Of(cluster.SlicesPort).Cast<V1EndpointSlice>().GroupBy(ServiceOf, StringComparer.Ordinal)
            .ToDictionary(static g => g.Key, WorkloadViews.ReadyAddresses, StringComparer.Ordinal)
        // Those that lost their label are known by their Service.
        : memory.Ledger.Of(cluster.EndpointsPort).Cast<V1Endpoints>()
            .Where(e => string.Equals(e.GetLabel(ApiConstants.NameLabel), owner.Name, StringComparison.Ordinal) || (services.TryGetValue(e.Name(), out var service) && owner.OwnershipOf(service) == Ownership.Ours))
            .ToDictionary(static e => e.Name(), WorkloadViews.ReadyAddresses, StringComparer.Ordinal);

    /// <summary>The ready addresses behind a port of one of the object's own Services, with the number that the pods' own port has.</summary>
    /// <param name="memory">What is known of the object.</param>
    /// <param name="service">The Service's name.</param>
    /// <param name="portName">The name of its port.</param>
    public IReadOnlyList<IPEndPoint> Of(ObjectMemory memory, string service, string portName) => cluster.UsesSlices
        ? PortAddresses.Of(memory.Ledger.Of(cluster.SlicesPort).Cast<V1EndpointSlice>().Where(s => string.Equals(ServiceOf(s), service, StringComparison.Ordinal)), portName)
        : PortAddresses.Of(memory.Ledger.Of(cluster.EndpointsPort).Cast<V1Endpoints>().FirstOrDefault(e => string.Equals(e.Name(), service, StringComparison.Ordinal)), portName);

    /// <summary>Reads them live, of any Service.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many; null with the failure where nobody can tell. A Service of which nothing is known has none.</returns>
    public async Task<(int? Count, ApiResult? Failure)> CountAsync(NamespacedName service, CancellationToken cancellationToken)
    {
        if (cluster.UsesSlices)
        {
            var list = await SlicesAsync(service, cancellationToken);
            return list.Value is { } found ? (WorkloadViews.ReadyAddresses(found.Items), null) : (null, list);
        }

        var answer = await cluster.Client.GetAsync<V1Endpoints>(service, cancellationToken);
        return answer.Value is { } endpoints ? (WorkloadViews.ReadyAddresses(endpoints), null) : answer.Reason == ApiReason.NotFound ? (0, null) : (null, answer);
    }

    /// <summary>The same, of one of the object's own Services; what is found and the caches do not show counts from now on.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="name">The Service's name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<(int? Count, ApiResult? Failure)> LookAsync(Pass pass, string name, CancellationToken cancellationToken)
    {
        var service = pass.Owner.Child(name);
        if (cluster.UsesSlices)
        {
            var list = await SlicesAsync(service, cancellationToken);
            if (list.Value is not { } found) return (null, list);
            var cached = cluster.SlicesPort.CachedOf(pass.Owner.Key).Where(s => string.Equals(ServiceOf((V1EndpointSlice)s), name, StringComparison.Ordinal));
            pass.Memory.Ledger.LookThrough(cluster.SlicesPort, found.Items, cached);
            return (WorkloadViews.ReadyAddresses(found.Items), null);
        }

        var answer = await cluster.EndpointsPort.GetAsync(service, cancellationToken);
        pass.Memory.Ledger.Look(cluster.EndpointsPort, service, answer);
        return answer.Object is V1Endpoints endpoints ? (WorkloadViews.ReadyAddresses(endpoints), null) : answer.Reason == ApiReason.NotFound ? (0, null) : (null, answer.Result);
    }

    private Task<ApiResult<ObjectList<V1EndpointSlice>>> SlicesAsync(NamespacedName service, CancellationToken cancellationToken) => cluster.Client.ListAsync<V1EndpointSlice>(
        new ListOptions { Namespace = service.Namespace, LabelSelector = $"{V1EndpointSlice.ServiceLabel}={service.Name}" }, cancellationToken);

    private static string ServiceOf(V1EndpointSlice slice) => slice.GetLabel(V1EndpointSlice.ServiceLabel) ?? "";
}
