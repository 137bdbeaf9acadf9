using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Controller;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>What a decision wants to know of pods reaches those that ask, and the answer the next decision. The decisions are scripted.</summary>
public sealed class PortQuestionTests : ScriptedPass, IPortProbes
{
    private static readonly PortLook s_look = new(New, "http", Old, "http");
    private readonly List<PortTargets?> _wanted = [];
    private PortAnswer? _answer;

    public PortQuestionTests()
    {
        Bed.Ports = this;
        Bed.Start(i =>
        {
            Inputs.Add(i);
            return Decide(i);
        });
    }

    PortAnswer? IPortProbes.Latest(string uid) => _answer;

    void IPortProbes.Want(string uid, NamespacedName key, PortTargets? targets) => _wanted.Add(targets);

    [Fact]
    public async Task Ready_pods_are_asked_on_their_own_port_for_as_long_as_a_decision_wants_it()
    {
        PutEndpoints(Old, "10.1.0.1", 8000);
        PutEndpoints(New, "10.1.0.2", 8080);
        Decide = i => Output(i, new() { Phase = "x" }) with { Port = Inputs.Count < 2 ? s_look : null };

        await Bed.PassAsync();
        _answer = new PortAnswer(PortAnswerKind.Refused, s_look);
        await Bed.PassAsync();

        Assert.Equal(["10.1.0.2:8080 / 10.1.0.1:8000", ""], _wanted.ConvertAll(static t => t is null ? "" : $"{Assert.Single(t.Addresses)} / {Assert.Single(t.Compared)}"));
        Assert.Equal([null, _answer], Inputs.ConvertAll(static i => i.Observed.Port));
    }

    [Fact]
    public async Task Object_that_goes_is_asked_about_no_more()
    {
        Decide = static i => Output(i, new() { Phase = "x" }) with { Port = s_look };
        await Bed.PassAsync();
        await Bed.Controller.DeletedAsync(Bed.Object, CancellationToken.None);

        Assert.Null(_wanted[^1]);
    }

    private void PutEndpoints(string service, string address, int port) => Bed.Api.Put<V1Endpoints>(Sample.Object(
        $$$"""{"metadata":{"name":"{{{service}}}","labels":{"ragoperator.dev/name":"assistant"}},"subsets":[{"addresses":[{"ip":"{{{address}}}"}],"ports":[{"name":"http","port":{{{port}}}}]}]}"""));
}
