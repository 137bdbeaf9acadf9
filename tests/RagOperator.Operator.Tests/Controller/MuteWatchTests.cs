using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A watch that is mute, or may not be opened any more, keeps nothing from being taken back for longer than seconds. The decisions are scripted.</summary>
public sealed class MuteWatchTests : ScriptedPass
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    [Fact]
    public async Task Own_status_that_no_watch_tells_is_read_live_and_decided_on()
    {
        Bed.Objects.Freeze();
        Decide = i => Output(i, new() { Phase = $"breach {Inputs.Count}" }) with { After = Inputs.Count == 3 ? [Lower(i)] : [] };

        Assert.InRange(await PassesUntilAsync(2), TimeSpan.FromSeconds(1), Patience);
        Assert.Equal("breach 1", Inputs[1].Persisted!.Phase);
        // It is known by now that this watch tells nothing.
        Bed.Api.Change<RagDeployment>("assistant", """{"metadata":{"annotations":{"ragoperator.dev/request":"abort"}}}""");
        Assert.Equal(TimeSpan.Zero, await PassesUntilAsync(3));

        Assert.Equal(("breach 2", "abort"), (Inputs[2].Persisted!.Phase, Inputs[2].Request));
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Cache_that_is_told_again_is_asked_again()
    {
        Bed.Objects.Freeze();
        Decide = i => Output(i, new() { Phase = $"{Inputs.Count}" });
        await PassesUntilAsync(2);

        Bed.Objects.Thaw();
        await Bed.PassAsync();
        var before = Bed.Api.Requests.Count(static r => r is { Verb: "get", Resource: "ragdeployments" });
        await Bed.PassAsync();

        Assert.Equal("3", Inputs[3].Persisted!.Phase);
        Assert.Equal(before, Bed.Api.Requests.Count(static r => r is { Verb: "get", Resource: "ragdeployments" }));
    }

    [Fact]
    public async Task Child_that_was_made_and_one_that_was_deleted_are_read_live()
    {
        Bed.Services.Freeze();
        Decide = i => Output(i, new() { Phase = "x" }) with
        {
            After = Inputs.Count == 1 ? [Create()] : [.. i.Observed.Services.Values.Select(static s => new DeleteChild(ChildKind.Service, s))],
        };

        Assert.InRange(await PassesUntilAsync(2), TimeSpan.Zero, Patience);
        Assert.Single(Inputs[1].Observed.Services);
        Assert.InRange(await PassesUntilAsync(3), TimeSpan.Zero, Patience);
        Assert.Empty(Inputs[2].Observed.Services);
        Assert.Equal(1, Bed.Api.Requests.Count(static r => r.Verb == "delete"));
    }

    [Fact]
    public async Task Child_that_neither_watch_nor_server_tells_keeps_weight_from_rising_and_not_from_being_taken_back()
    {
        Bed.Services.Freeze();
        Bed.Api.Fault = static r => r is { Verb: "get", Resource: "services" } ? new(ApiReason.Forbidden, 403, "may not get services") : null;
        Decide = i => Output(i, new() { Phase = "x" }) with { After = Inputs.Count == 1 ? [Create()] : [Lower(i)] };

        Assert.InRange(await PassesUntilAsync(2), TimeSpan.Zero, Patience);

        Assert.True(Inputs[1].MayNotRaise);
        Assert.Equal(0, Bed.Weights()[New]);
    }

    [Fact]
    public async Task Object_that_is_gone_without_a_word_is_let_be()
    {
        var entity = Bed.Object;
        Bed.Objects.Freeze();
        Decide = static i => Output(i, new() { Phase = "x" });
        await Bed.PassAsync();
        Bed.Api.Remove<RagDeployment>("assistant");

        TimeSpan? last = null;
        for (var pass = 0; pass < 20; pass++) last = (await Bed.Controller.ReconcileAsync(entity, CancellationToken.None)).RequeueAfter;

        Assert.Equal(TimeSpan.FromSeconds(1), last);
        Assert.Single(Inputs);
    }

    /// <summary>Passes as often as they ask for it, until so many decisions were made.</summary>
    /// <returns>How long that takes.</returns>
    private async Task<TimeSpan> PassesUntilAsync(int decisions)
    {
        var waited = TimeSpan.Zero;
        for (var pass = 0; pass < 40; pass++)
        {
            var result = await Bed.PassAsync();
            if (Inputs.Count >= decisions) return waited;
            waited += result.RequeueAfter ?? TimeSpan.FromMinutes(1);
        }

        throw new InvalidOperationException($"{Inputs.Count} decisions, not {decisions}");
    }
}
