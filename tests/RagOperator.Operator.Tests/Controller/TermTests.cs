using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>What was learned in one term of leadership says nothing in the next.</summary>
public sealed class TermTests : IDisposable
{
    private readonly Terms _terms = new();

    public void Dispose() => _terms.Dispose();

    [Fact]
    public async Task New_term_reads_status_route_and_flags_live_before_it_writes_anything()
    {
        var phase = "Healthy";
        EngineOutput Decide(EngineInput input) => new() { Status = new RagDeploymentStatus { Phase = phase }, StatusDue = true, Memory = input.Memory };
        var bed = new ControllerBed { Leadership = _terms };
        bed.Start(Decide);
        bed.Apply("{}");
        await bed.PassAsync();
        bed.Api.Requests.Clear();
        await bed.PassAsync();
        Assert.DoesNotContain(bed.Api.Requests, static r => r.Verb is "get" or "list");

        _terms.Next();
        phase = "Progressing";
        for (var passes = 0; passes < 3; passes++) await bed.PassAsync();
        Assert.Equal(
            ["get ragdeployments", "get httproutes", "list configmaps", "patch ragdeployments/status"],
            bed.Api.Requests.Select(static r => $"{r.Verb} {r.Resource}").Take(4));
    }

    private sealed class Terms : ILeadership, IDisposable
    {
        private CancellationTokenSource _term = new();

        public bool IsLeader => true;

        public CancellationToken TermToken => _term.Token;

        public Task WaitForLeadershipAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Next()
        {
            Dispose();
            _term = new CancellationTokenSource();
        }

        public void Dispose()
        {
            _term.Cancel();
            _term.Dispose();
        }
    }
}
