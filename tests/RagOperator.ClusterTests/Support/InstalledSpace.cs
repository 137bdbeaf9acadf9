using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests.Support;

/// <summary>A namespace with an installed service that the tests of one class share, one after the other: release 1.0 is stable throughout.</summary>
public abstract class InstalledSpace(string name, params string[] arguments) : IAsyncLifetime
{
    private TestSpace? _space;

    /// <summary>The service as it is installed, to be changed by <c>with</c>.</summary>
    public virtual RagService Base => Space.Service();

    /// <summary>The space; skips the test where there is no cluster.</summary>
    public TestSpace Space
    {
        get
        {
            Skip.If(_space is null, "needs a cluster with real pods: tests/run.sh cluster");
            return _space!;
        }
    }

    public async Task InitializeAsync()
    {
        if (!TestBed.ClusterBed.HasPods)
            return;
        _space = await TestSpace.CreateAsync(name, arguments);
        await _space.InstallAsync(Base);
    }

    public async Task DisposeAsync()
    {
        if (_space is not null)
            await _space.DisposeAsync();
    }

    /// <summary>Back to what every test begins with.</summary>
    public async Task ResetAsync()
    {
        await Space.ApplyAsync(Base);
        await Space.UntilAsync(s => s.Phase == "Healthy" && s.Retiring is null, TestSpace.Patience, "back at the installed release");
    }
}
