using RagOperator.TestBed.Faults;
using RagOperator.Tests.Shared;

namespace RagOperator.FaultTests.Oracles;

/// <summary>When an operator counts as quiet: a server that takes long over a write is not the operator's silence.</summary>
public sealed class QuietTests
{
    private static readonly ApiCall s_write = new("delete", "services", "ns", "assistant-api-1", DryRun: false);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Write_under_way_is_no_quiet_however_long_it_takes()
    {
        var trajectory = new Trajectory(_time);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(5), trajectory.QuietFor);

        var first = trajectory.Begin(s_write, default, 1);
        var second = trajectory.Begin(s_write, default, 1);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.Zero, trajectory.QuietFor);

        // Answered by the server, and the answer not passed on yet.
        trajectory.End(first, 200, default);
        Assert.Equal(TimeSpan.Zero, trajectory.QuietFor);

        trajectory.Leave(first);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, trajectory.QuietFor);

        // That one never got an answer.
        trajectory.Leave(second);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(3), trajectory.QuietFor);
    }

    [Theory]
    [InlineData("get", "services", false)]
    [InlineData("create", "services", true)]
    [InlineData("create", "events", false)]
    [InlineData("update", "leases", false)]
    public void What_is_no_write_of_the_rollout_disturbs_no_quiet(string verb, string resource, bool isDryRun)
    {
        var trajectory = new Trajectory(_time);
        var deed = trajectory.Begin(new ApiCall(verb, resource, "ns", "assistant", isDryRun), default, 1);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(4), trajectory.QuietFor);
        trajectory.Leave(deed);
        Assert.Equal(TimeSpan.FromSeconds(4), trajectory.QuietFor);
    }
}
