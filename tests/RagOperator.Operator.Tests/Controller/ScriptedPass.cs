using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Traffic;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A controller whose decisions a test scripts: what does it send? At first the route gives the new revision a tenth.</summary>
public abstract class ScriptedPass
{
    protected const string Old = "assistant-api-old";
    protected const string New = "assistant-api-new";
    protected const string Note = "rel0000001 SlaBreach";

    protected ScriptedPass()
    {
        Bed = new ControllerBed(input =>
        {
            Inputs.Add(input);
            return Decide(input);
        });
        Bed.Apply("{}");
        PutRoute(Before);
    }

    protected static Dictionary<string, int> Ports { get; } = new() { [Old] = 8000, [New] = 8000 };

    protected static Backend[] Before { get; } = [new(Old, 90), new(New, 10)];

    protected static Backend[] Lowered { get; } = [new(Old, 100), new(New, 0)];

    /// <summary>What was decided on, pass by pass.</summary>
    protected List<EngineInput> Inputs { get; } = [];

    private protected ControllerBed Bed { get; }

    protected Func<EngineInput, EngineOutput> Decide { get; set; } = static i => Output(i, new());

    protected static EngineOutput Output(EngineInput input, RagDeploymentStatus status) => new()
    {
        Status = status,
        StatusDue = true,
        Memory = input.Memory,
    };

    protected static CreateRevisionService Create() => new(Sample.Release(), "api");

    protected static ApplyRoute Lower(EngineInput input) => new(Lowered, Ports, input.Observed.Route, Note, Direction.Lowers);

    protected void PutRoute(Backend[] backends)
    {
        Bed.Api.Remove<V1HTTPRoute>("assistant");
        Bed.Api.Put<V1HTTPRoute>(new GatewayApiRouter().Create(
            Sample.Owner, new DesiredTraffic(Sample.Element("""{"parentRefs":[{"name":"public","namespace":"gateways"}]}"""), backends, Ports)));
    }
}
