using RagOperator.Engine.Contracts;
using RagOperator.Engine.Rollout;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Scenarios;

/// <summary>A program that listens on another port than spec says: its pods are ready, and each request would fail.</summary>
public sealed class PortTests
{
    private const string Question = "does the program listen on another port?";
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static Sim Canary(PortAnswerKind port, SpecText? spec = null)
    {
        var sim = new Sim(spec).UntilHealthy();
        sim.Cluster.Pods("api:2").Port = port;
        return sim.Edit(static s => s.Image("api", "api:2"));
    }

    [Fact]
    public void Canary_that_refuses_connections_gets_no_weight_and_says_so()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(TimeSpan.FromSeconds(14));
        Assert.Equal(Phases.Progressing, sim.Phase);
        sim.Run(s_minute);

        Assert.Equal((Phases.Suspended, "True PortRefused", 0), (sim.Phase, sim.Condition("Reconciling"), sim.Weight("api:2")));
        Assert.Contains($"every ready address of Service {sim.Deployment("api:2")!.Name} refuses connections on port 8000: {Question}", sim.Message, StringComparison.Ordinal);
        Assert.Single(sim.Events, static e => e.Event is { Reason: "PortRefused", Warning: true });
        Assert.Equal("", sim.Weights("api:2"));
    }

    [Fact]
    public void Canary_whose_port_opens_goes_on_by_itself()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(s_minute);
        sim.Cluster.Pods("api:2").Port = PortAnswerKind.Open;
        sim.Run(TimeSpan.FromSeconds(10));

        Assert.Equal(5, sim.Weight("api:2"));
        Assert.True(sim.Told("PortOpen"));
        Assert.Null(sim.Status.Step!.PortRefusedSince);
        sim.UntilHealthy();
    }

    [Fact]
    public void Canary_that_refuses_twice_and_then_listens_is_no_news()
    {
        var sim = Canary(PortAnswerKind.Refused);
        sim.At(TimeSpan.FromSeconds(13), () => sim.Cluster.Pods("api:2").Port = PortAnswerKind.Open);
        sim.Run(s_minute);

        Assert.Equal(5, sim.Weight("api:2"));
        Assert.False(sim.Told("PortRefused"));
        Assert.False(sim.Told("PortOpen"));
    }

    [Fact]
    public void Canary_that_refuses_for_the_whole_deadline_is_taken_back()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(TimeSpan.FromMinutes(10));
        Assert.Equal(Phases.Suspended, sim.Phase);
        sim.Run(s_minute);

        Assert.Equal((Phases.Degraded, RollbackCauses.Deadline), (sim.Phase, sim.Status.Rollback!.Cause));
        Assert.Contains(Question, sim.Message, StringComparison.Ordinal);
        Assert.Equal((100, ""), (sim.Weight("api:1"), sim.Weights("api:2")));
        var asked = sim.Ports.Asked;
        sim.Run(TimeSpan.FromHours(1));
        Assert.Equal(asked, sim.Ports.Asked);
    }

    [Fact]
    public void Restart_keeps_what_is_known_and_condemns_by_fresh_answers_only()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(s_minute);
        var since = sim.Status.Step!.PortRefusedSince;
        sim.Restart().Pass();
        Assert.Equal((Phases.Suspended, since), (sim.Phase, sim.Status.Step!.PortRefusedSince));

        sim.Away(TimeSpan.FromHours(1)).Run(TimeSpan.FromSeconds(9));
        Assert.Null(sim.Status.Rollback);
        sim.Cluster.Pods("api:2").Port = PortAnswerKind.Open;
        sim.Run(s_minute);
        Assert.Equal((5, null), (sim.Weight("api:2"), sim.Status.Rollback));
    }

    [Theory]
    [InlineData(PortAnswerKind.Unknown, true)]
    [InlineData(PortAnswerKind.Open, false)]
    public void Canary_that_may_be_reached_for_all_that_is_known_is_not_held_up(PortAnswerKind port, bool isTold)
    {
        var sim = Canary(port).Run(TimeSpan.FromSeconds(10));

        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Equal(isTold ? 1 : 0, sim.Events.Count(static e => e.Event.Reason == "PortUnknown"));
        sim.UntilHealthy();
    }

    [Fact]
    public void Operator_that_is_told_not_to_ask_asks_nobody()
    {
        var sim = new Sim { Ports = { Off = true } }.UntilHealthy();
        sim.Cluster.Pods("api:2").Port = PortAnswerKind.Refused;
        sim.Edit(static s => s.Image("api", "api:2")).UntilHealthy();

        Assert.Equal((0, 100), (sim.Ports.Asked, sim.Weight("api:2")));
    }

    [Fact]
    public void Port_is_asked_before_the_first_weight_and_never_again()
    {
        var sim = Canary(PortAnswerKind.Open).UntilStep("canary", StepStates.Holding);
        var asked = sim.Ports.Asked;
        sim.Cluster.Pods("api:2").Port = PortAnswerKind.Refused;
        sim.UntilHealthy();

        Assert.Equal((2, asked, 100), (asked, sim.Ports.Asked, sim.Weight("api:2")));
    }

    [Fact]
    public void What_is_not_known_is_told_once_however_long_the_gateway_takes()
    {
        var sim = new Sim().UntilHealthy();
        sim.Cluster.Pods("api:2").Port = PortAnswerKind.Unknown;
        sim.Cluster.GatewayWorks(false);
        sim.Edit(static s => s.Image("api", "api:2")).Run(TimeSpan.FromMinutes(8));
        sim.Cluster.GatewayWorks(true);
        sim.Run(s_minute);

        Assert.Equal(5, sim.Weight("api:2"));
        Assert.Single(sim.Events, static e => e.Event.Reason == "PortUnknown");
    }

    [Fact]
    public void First_install_that_refuses_connections_is_not_called_installed()
    {
        var sim = new Sim();
        sim.Cluster.Pods("api:1").Port = PortAnswerKind.Refused;
        sim.Run(s_minute);
        Assert.Equal((Phases.Suspended, "True PortRefused", null), (sim.Phase, sim.Condition("Reconciling"), sim.Status.StableRevision));
        Assert.Contains(Question, sim.Message, StringComparison.Ordinal);

        sim.Run(TimeSpan.FromMinutes(10));
        Assert.Equal((Phases.Degraded, "True ProgressDeadlineExceeded"), (sim.Phase, sim.Condition("Stalled")));
        Assert.Contains("It keeps trying", sim.Message, StringComparison.Ordinal);
        sim.Restart().Pass();
        Assert.Equal(Phases.Degraded, sim.Phase);

        sim.Cluster.Pods("api:1").Port = PortAnswerKind.Open;
        sim.UntilHealthy(s_minute);
    }

    [Fact]
    public void Paused_canary_is_not_asked_and_no_clock_runs_for_its_port()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(TimeSpan.FromMinutes(9));
        sim.Ask("pause/current").Run(s_minute);
        var asked = sim.Ports.Asked;
        sim.Run(TimeSpan.FromDays(1));
        Assert.Equal((asked, "True Paused"), (sim.Ports.Asked, sim.Condition("Reconciling")));

        sim.Ask("resume/current").Run(TimeSpan.FromMinutes(9));
        Assert.Equal((null, "True PortRefused"), (sim.Status.Rollback, sim.Condition("Reconciling")));
    }

    [Fact]
    public void Refused_port_is_written_once()
    {
        var sim = Canary(PortAnswerKind.Refused).Run(TimeSpan.FromMinutes(2));
        var writes = sim.Trajectory.Count;
        sim.Run(TimeSpan.FromMinutes(7));

        Assert.Equal(writes, sim.Trajectory.Count);
    }
}
