using System.Net;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Probing;

/// <summary>Asks one question about one object: at once, and where it is refused again and again, until it is not wanted any more.</summary>
internal sealed partial class ObjectProbe : IDisposable
{
    // A few at once, so that a Service of many pods makes no storm.
    private const int AtOnce = 4;

    private readonly CancellationTokenSource _stop = new();
    private readonly Connector _connector;
    private readonly TimeProvider _time;
    private readonly Action _news;
    private readonly ILogger _logger;
    private volatile PortTargets _targets;
    private volatile PortAnswer? _answer;

    public ObjectProbe(PortTargets targets, Connector connector, TimeProvider time, Action news, ILogger logger)
    {
        _targets = targets;
        _connector = connector;
        _time = time;
        _news = news;
        _logger = logger;
        Ended = RunAsync(_stop.Token);
    }

    /// <summary>The question.</summary>
    public PortLook Look => _targets.Look;

    /// <summary>The newest answer; null before the first.</summary>
    public PortAnswer? Answer => _answer;

    /// <summary>Done when nothing is asked any more.</summary>
    public Task Ended { get; }

    /// <summary>Replaces the addresses of the same question: pods come and go.</summary>
    public void Ask(PortTargets targets) => _targets = targets;

    /// <inheritdoc/>
    public void Dispose()
    {
        // What is under way ends by it; the source itself needs no disposal once it is cancelled.
        _stop.Cancel();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (true)
            {
                var (kind, message) = await RoundAsync(_targets, stop);
                var before = _answer;
                _answer = new PortAnswer(kind, Look, before?.Kind == kind ? before.Rounds + 1 : 1, message);
                // What is said the third time counts, and after that nothing new is said.
                if (_answer.Rounds is 1 or 3) _news();
                if (kind != PortAnswerKind.Refused) return;
                await Task.Delay(PortAnswer.Distance, _time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // not wanted any more
        }
        catch (Exception e)
        {
            // A defect of ours must keep nobody waiting.
            LogFailed(_logger, e, Look.Service);
            _answer = new PortAnswer(PortAnswerKind.Unknown, Look, Message: "the operator could not ask");
            _news();
        }
    }

    private async Task<(PortAnswerKind Kind, string? Message)> RoundAsync(PortTargets targets, CancellationToken stop)
    {
        if (targets.Addresses.Count == 0) return (PortAnswerKind.Unknown, $"no address of Service {targets.Look.Service} may be asked on its port {targets.Look.PortName}");
        if (await AskAllAsync(targets.Addresses, stop) is var found && found.Kind != PortAnswerKind.Refused) return found;
        // Some firewalls refuse in the pods' place: then those that serve refuse, too.
        return targets.Compared.Count > 0 && await AskAllAsync([.. targets.Compared.Take(AtOnce)], stop) is { Kind: PortAnswerKind.Refused }
            ? (PortAnswerKind.Unknown, $"Service {targets.Look.Compared}, which serves, refuses connections of the operator, too")
            : found;
    }

    /// <summary>Asks until one address does not refuse: that all of them do takes all of them.</summary>
    private async Task<(PortAnswerKind Kind, string? Message)> AskAllAsync(IReadOnlyList<IPEndPoint> addresses, CancellationToken stop)
    {
        foreach (var some in addresses.Chunk(AtOnce))
        {
            var answers = await Task.WhenAll(some.Select(a => _connector.AskAsync(a, stop)));
            stop.ThrowIfCancellationRequested();
            if (answers.Any(static a => a.Kind == PortAnswerKind.Open)) return (PortAnswerKind.Open, null);
            if (answers.FirstOrDefault(static a => a.Kind == PortAnswerKind.Unknown) is { Message: not null } unknown) return unknown;
        }

        return (PortAnswerKind.Refused, null);
    }

    [LoggerMessage(1, LogLevel.Error, "Asking Service {Service} for a connection failed")]
    private static partial void LogFailed(ILogger logger, Exception e, string service);
}
