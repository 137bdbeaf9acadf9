using RagOperator.ClusterTests.Infrastructure;
using RagOperator.TestBed;
using Xunit.Abstractions;

namespace RagOperator.ClusterTests.Installation;

/// <summary>The operator as `kubectl apply -k` installs it. Alone, because it watches all namespaces.</summary>
[Collection(AloneCollection.Name)]
public sealed class KustomizedTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Installed_by_kustomize_it_refuses_at_the_door_and_is_kept_through_drains()
    {
        InstalledOperator.Image();
        await using var space = await InstalledOperator.SpaceAsync("kustomized");
        // An overlay as users have it. Below the repository: this kubectl takes no absolute paths.
        var overlay = Directory.CreateDirectory(Path.Combine(ClusterBed.Repository, "artifacts/cluster-tests/overlay"));
        await File.WriteAllTextAsync(Path.Combine(overlay.FullName, "kustomization.yaml"), "bases: [../../../config/kubernetes-1.20]\nimages: [{name: rag-operator, newTag: dev}]\n");
        try
        {
            (await space.Bed.KubectlAsync("apply", "--validate=false", "-k", overlay.FullName)).OrThrow();
            await InstalledOperator.ReadyPodsAsync(space, []);
            await InstalledOperator.RefusedAtTheDoorAsync(space);
            await space.UntilAsync(async () =>
            {
                var budget = await space.Bed.GetAsync("poddisruptionbudget", "rag-operator", InstalledOperator.Namespace);
                return budget!.Value.GetProperty("status").GetProperty("disruptionsAllowed").GetInt32() == 1;
            }, TimeSpan.FromSeconds(30), "one pod of two may be drained");
        }
        catch
        {
            await InstalledOperator.TellAsync(space, output);
            throw;
        }
        finally
        {
            overlay.Delete(recursive: true);
            await InstalledOperator.RemoveAsync(space);
        }
    }
}
