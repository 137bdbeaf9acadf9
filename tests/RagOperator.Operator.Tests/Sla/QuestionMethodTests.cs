using RagOperator.Engine.Contracts;
using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Tests.Sla;

public sealed class QuestionMethodTests
{
    [Fact]
    public async Task GET_is_remembered_when_it_was_answered_and_not_when_it_failed()
    {
        var asked = 0;
        await using var server = new ScriptedSource((stream, request, ct) =>
        {
            asked++;
            var answer = request.Line.StartsWith("POST", StringComparison.Ordinal) ? ScriptedSource.Http("405 Method Not Allowed", "text/plain", "no")
                : asked == 2 ? ScriptedSource.Http("503 Service Unavailable", "text/plain", "later")
                : ScriptedSource.Http("200 OK", "application/json", """{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"1"]}}""");
            return stream.WriteAsync(answer, ct).AsTask();
        });
        var options = new MetricSourceOptions { Url = server.Url };
        using var gate = new SourceGate("x", options, new PrometheusMetricSource(options, TimeProvider.System), TimeProvider.System);
        for (var i = 0; i < 3; i++) await gate.AskAsync("rag", "q", DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), default);

        Assert.Equal(["POST", "GET", "POST", "GET", "GET"], server.Requests.Select(static r => r.Line.Split(' ')[0]));
        Assert.Equal(AnswerKind.Number, gate.Last!.Kind);
    }
}
