using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>Services that are not ours are read only as far as somebody asks. The decisions are scripted.</summary>
public sealed class ExternalServiceTests : ScriptedPass
{
    [Fact]
    public async Task External_services_are_counted_only_while_asked_for()
    {
        Bed.Api.Put<V1Endpoints>(Sample.Object("""{"metadata":{"name":"qdrant"},"subsets":[{"addresses":[{"ip":"10.1.0.1"}]}]}"""));
        Bed.Api.Put<V1Service>(Sample.Object("""{"metadata":{"name":"cloud"},"spec":{"type":"ExternalName","externalName":"x.example.com"}}"""));
        Decide = i => Output(i, new() { Phase = "x" }) with { Externals = Inputs.Count < 3 ? ["qdrant", "cloud", "absent"] : [] };

        var first = await Bed.PassAsync();
        await Bed.PassAsync();
        await Bed.PassAsync();
        await Bed.PassAsync();
        var reads = Bed.Api.Requests.Count(static r => r.Resource == "endpoints");
        Bed.Time.Advance(TimeSpan.FromMinutes(1));
        await Bed.PassAsync();

        Assert.True(first.RequeueAfter < TimeSpan.FromSeconds(1));
        Assert.Equal(new Dictionary<string, int> { ["qdrant"] = 1, ["cloud"] = 1, ["absent"] = 0 }, Inputs[1].Observed.ExternalAddresses);
        Assert.Equal(3, reads);
        Assert.Equal(reads, Bed.Api.Requests.Count(static r => r.Resource == "endpoints"));
    }

    [Fact]
    public async Task External_service_that_may_not_be_read_is_told_once()
    {
        Bed.Api.Fault = static r => r.Resource == "endpoints" ? new(ApiReason.Forbidden, 403, "may not get endpoints") : null;
        Decide = static i => Output(i, new() { Phase = "x" }) with { Externals = ["qdrant"] };
        for (var looks = 0; looks < 3; looks++)
        {
            await Bed.PassAsync();
            Bed.Time.Advance(TimeSpan.FromMinutes(1));
        }

        var told = Assert.Single(Bed.Warnings);
        Assert.Contains("qdrant, which cannot be read", told, StringComparison.Ordinal);
        Assert.Contains("may not get endpoints", told, StringComparison.Ordinal);
    }
}
