using RagOperator.FaultTests.Peers;
using RagOperator.TestBed;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Worlds;

/// <summary>What all worlds share: the real API server with its real controllers, nodes whose pods only pretend, and the gateway's status side.</summary>
public sealed class FaultBed
{
    private static readonly Lazy<Task<FaultBed>> s_shared = new(StartAsync);
    private static int s_names;

    private FaultBed(ApiAccess api, ScriptedGateway gateway) => (Api, Gateway) = (api, gateway);

    public ApiAccess Api { get; }

    public ScriptedGateway Gateway { get; }

    /// <summary>Where runs leave what they have to say.</summary>
    public static string Results { get; } = Path.Combine(ClusterBed.Repository, "artifacts/fault-tests");

    /// <summary>The bed of this process. Outside a bed the test is skipped.</summary>
    public static Task<FaultBed> SharedAsync()
    {
        Skip.IfNot(ClusterBed.IsInside, "needs a cluster: tests/run.sh faults");
        return s_shared.Value;
    }

    /// <summary>A namespace that nobody has.</summary>
    public string NextName(string word) => $"f{Interlocked.Increment(ref s_names)}-{word}";

    private static async Task<FaultBed> StartAsync()
    {
        Directory.CreateDirectory(Results);
        File.Delete(Path.Combine(Results, "installs.tsv"));
        using var bed = ClusterBed.FromEnvironment();
        (await bed.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(ClusterBed.Repository, "crds"))).OrThrow();
        await Definitions.EstablishedAsync(bed.KubectlAsync, "ragdeployments.ragoperator.dev");
        var api = new ApiAccess(bed.KubeConfig);
        return new FaultBed(api, new ScriptedGateway(api).Start());
    }
}
