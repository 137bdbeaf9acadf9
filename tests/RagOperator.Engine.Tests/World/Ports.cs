using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Tests.World;

/// <summary>Asks for connections as the operator does: at once, and where they are refused every five seconds while it is wanted. Only what is new wakes anybody.</summary>
internal sealed class Ports(Cluster cluster)
{
    private PortLook? _look;
    private DateTimeOffset? _next;

    public PortAnswer? Answer { get; private set; }

    /// <summary>How often a Service was asked.</summary>
    public int Asked { get; private set; }

    /// <summary>Whether the configuration says not to ask.</summary>
    public bool Off { get; set; }

    public void Forget() => (_look, Answer) = (null, null);

    /// <summary>Asks what is due. Answers whether there is news.</summary>
    public bool Ask(PortLook? look)
    {
        if (Off)
        {
            Answer = new PortAnswer(PortAnswerKind.Off);
            return false;
        }

        if (look != _look) (_look, Answer, _next) = (look, null, cluster.Now);
        if (look is null || !(_next <= cluster.Now)) return false;
        Asked++;
        var kind = cluster.Pods(cluster.ImageOf(look.Service)).Port;
        _next = kind == PortAnswerKind.Refused ? cluster.Now + PortAnswer.Distance : null;
        var before = Answer;
        Answer = new PortAnswer(kind, look, before?.Kind == kind ? before.Rounds + 1 : 1, kind == PortAnswerKind.Unknown ? "no answer within 1s" : null);
        return before?.Kind != kind || Answer.Rounds == 3;
    }

    public DateTimeOffset? Next() => _look is null || Off ? null : _next;
}
