using System.Diagnostics;
using RagOperator.FaultTests.Worlds;

namespace RagOperator.FaultTests.Restores;

/// <summary>A dump of a world's namespace in a folder, made and brought back by the commands of docs/upgrade.md.</summary>
public sealed class Dump : IDisposable
{
    private readonly FaultWorld _world;
    private readonly string? _name;
    private readonly string _folder = Directory.CreateTempSubdirectory("rag-dump-").FullName;

    private Dump(FaultWorld world, string? name) => (_world, _name) = (world, name);

    /// <summary>Dumps the namespace, or one object with its children.</summary>
    public static async Task<Dump> TakeAsync(FaultWorld world, string? name = null)
    {
        var dump = new Dump(world, name);
        await dump.RunAsync(UpgradePage.Dump);
        return dump;
    }

    /// <summary>Brings all of it back, in the page's order.</summary>
    public Task RestoreAsync() => RunAsync(UpgradePage.Restore);

    /// <summary>Brings all of it back with the owner references that it has.</summary>
    public Task RestoreWithOwnersAsync() => RunAsync(UpgradePage.Restore.Select(static l => l.Replace(",\"ownerReferences\":null", "", StringComparison.Ordinal)));

    /// <summary>Brings the RagDeployments back, before anything else: what the page says not to do.</summary>
    public Task RestoreObjectsAsync() => RunAsync([UpgradePage.Restore[0], UpgradePage.Restore[^1]]);

    /// <summary>Brings all else back; names that are there already are passed over, as kubectl create and Velero do.</summary>
    public Task RestoreChildrenAsync() => RunAsync(UpgradePage.Restore.SkipLast(1).Select(static l => $"{l} || true"));

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task RunAsync(IEnumerable<string> commands)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-euo", "pipefail", "-c", UpgradePage.For(commands, _world.Namespace, _name)])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (told, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new NotReachedException($"the page's commands ended with {process.ExitCode}: {await error}\n{await told}");
    }
}
