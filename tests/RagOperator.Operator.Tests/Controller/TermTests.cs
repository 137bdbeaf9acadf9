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
    public async Task New_term_reads_status_route_flags_and_what_tells_of_a_stable_release_live_before_it_writes_anything()
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
            ["get ragdeployments", "get httproutes", "list configmaps", "list controllerrevisions", "list services", "patch ragdeployments/status"],
            bed.Api.Requests.Select(static r => $"{r.Verb} {r.Resource}").Take(6));
    }

    [Fact]
    public async Task Status_that_lost_its_stable_release_is_known_before_the_cache_that_still_names_one_is_asked()
    {
        List<string>? read = null;
        var bed = new ControllerBed { Leadership = _terms };
        bed.Start(input =>
        {
            read ??= [.. bed.Api.Requests.Select(static r => $"{r.Verb} {r.Resource}")];
            return new() { Status = new RagDeploymentStatus { StableRevision = "4f9c" }, StatusDue = true, Memory = input.Memory };
        });
        bed.Apply("{}");
        for (var passes = 0; passes < 3; passes++) await bed.PassAsync();
        Assert.Equal("4f9c", bed.Object.Status!.StableRevision);

        // A restore without status, and a cache that has not heard of it.
        bed.Objects.Freeze();
        bed.Api.Change<RagDeployment>(ControllerBed.Name, """{"status":null}""");
        _terms.Next();
        bed.Api.Requests.Clear();
        read = null;
        for (var passes = 0; passes < 3; passes++) await bed.PassAsync();
        Assert.Null(read);

        bed.Objects.Thaw();
        for (var passes = 0; passes < 3; passes++) await bed.PassAsync();
        Assert.Equal(["get ragdeployments", "get httproutes", "list configmaps", "list controllerrevisions", "list services"], read);
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
