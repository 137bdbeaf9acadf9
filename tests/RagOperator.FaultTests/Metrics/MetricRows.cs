using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagOperator.FaultTests.Peers;

namespace RagOperator.FaultTests.Metrics;

/// <summary>Every answer of a metric source that the safety page's table speaks of, and what it is worth.</summary>
public static class MetricRows
{
    private const string Json = "application/json";

    // Beyond the limit of 1%, and within it.
    private const double Bad = 0.5;
    private const double Good = 0.001;

    // Longer than the source's timeout, so that it is the timeout that ends a question.
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(4);

    private static readonly MetricScope[] s_volume = [MetricScope.Volume];
    private static readonly MetricScope[] s_stable = [MetricScope.Stable];
    private static readonly MetricScope[] s_all = [MetricScope.All];

    /// <summary>All of them. What a good value means here could raise a weight, so that what must not count is good where it can be.</summary>
    public static IReadOnlyList<MetricRow> All { get; } =
    [
        Refusal(301, "text/plain", "moved", "Invalid", redirects: true),
        Refusal(302, "text/plain", "found", "Invalid", redirects: true),
        Refusal(307, "text/plain", "again, there", "Invalid", redirects: true),
        Refusal(308, "text/plain", "there for good", "Invalid", redirects: true),
        Refusal(400, Json, Trouble("bad_data", "parse error"), "Invalid"),
        Refusal(401, Json, Trouble("unauthorized", "no such token"), "Invalid"),
        Refusal(403, "text/html", "<html>Forbidden</html>", "Invalid"),
        Refusal(404, "text/plain", "404 page not found", "Invalid"),
        Refusal(405, "text/plain", "", "Invalid"),
        Refusal(422, Json, Trouble("execution", "many-to-many matching not allowed"), "Invalid"),
        Refusal(429, "text/plain", "slow down", "Error"),
        Refusal(500, Json, Trouble("internal", "out of order"), "Error"),
        Refusal(502, "text/html", "<html>Bad Gateway</html>", "Error"),
        Refusal(503, "text/plain", "upstream connect error or disconnect/reset before headers", "Error"),
        Refusal(503, Json, Trouble("timeout", "query timed out in expression evaluation"), "Error"),
        // A good number in a bad answer is none.
        Refusal(503, Json, ScriptedPrometheus.Vector(Good), "Error"),
        new("refusals", "401 that echoes the token", "Invalid", EchoAsync) { Says = "***" },

        Shape("HTML", "Invalid", "<html><body>Please log in</body></html>") with { Says = "HTML" },
        Shape("empty body", "Error", ""),
        Shape("not JSON", "Error", "errors 0.001"),
        Shape("half of JSON", "Error", "{\"status\":\"success\",\"data\":{\"resultType\":\"vec"),
        Shape("null", "Invalid", "null"),
        Shape("a list", "Invalid", "[]"),
        Shape("another API's JSON", "Invalid", """{"value": 0.001}"""),
        Shape("deep JSON", "Error", new string('[', 10_000)),
        Shape("no result", "Invalid", """{"status":"success","data":{}}"""),
        Shape("error with 200, the question's fault", "Invalid", Trouble("bad_data", "parse error")),
        Shape("error with 200, the source's fault", "Error", Trouble("timeout", "too slow")),
        Result("two series", "Invalid", "vector", $"[{Series(Good)},{Series(Good)}]") with { Says = "2 series" },
        Result("a histogram", "Invalid", "vector", """[{"metric":{},"histogram":[1,{"count":"1","sum":"1"}]}]"""),
        Result("a range", "Invalid", "matrix", """[{"metric":{},"values":[[1,"0.001"]]}]"""),
        Result("a text", "Invalid", "string", """[$now,"0.001"]"""),
        Result("an unknown type", "Invalid", "tensor", "[]"),
        Result("a word for a number", "Invalid", "vector", """[{"metric":{},"value":[$now,"good"]}]"""),
        Result("a number without quotes", "Invalid", "vector", """[{"metric":{},"value":[$now,0.001]}]"""),
        Result("a scalar", "Pass", "scalar", """[$now,"0.001"]"""),
        Extra("warnings", "Invalid", "\"warnings\":[\"partial response\"]") with { Says = "partial response" },
        Extra("no warnings", "Pass", "\"warnings\":[]"),
        Extra("hints", "Pass", "\"infos\":[\"metric might not be a counter\"]"),

        Value("good", "Pass", Good),
        Value("at the limit", "Pass", 0.01) with { Scopes = [MetricScope.Both] },
        Value("NaN", "NoData", double.NaN) with { Says = "NaN" },
        Value("-Inf", "Invalid", double.NegativeInfinity),
        Result("empty", "NoData", "vector", "[]") with { Group = "numbers" },
        Result("of an hour ago", "NoData", "vector", """[{"metric":{},"value":[1000000,"0.001"]}]""") with { Group = "numbers" },
        Value("empty for stable", "NoData", null) with { Scopes = s_stable, VerdictAtFull = "Pass" },
        Value("NaN for stable", "NoData", double.NaN) with { Scopes = s_stable, VerdictAtFull = "Pass" },
        Value("+Inf for stable", "NoData", double.PositiveInfinity) with { Scopes = s_stable, VerdictAtFull = "Pass" },
        Refusal(503, "text/plain", "of stable alone", "Error") with { Group = "numbers", Scopes = s_stable, VerdictAtFull = "Pass", Says = "stable: HTTP 503" },

        new("broken", "connection refused", "Error", null) { Scopes = s_all, Says = "refused" },
        new("broken", "cut before the answer", "Error", static q => CutAsync(q, "")),
        new("broken", "cut in the body", "Error", static q => CutAsync(q, ScriptedPrometheus.Vector(Good)[..40])),
        new("broken", "cut at the body's last byte", "Error", static q => CutAsync(q, ScriptedPrometheus.Vector(Good)[..^1])),
        // A busy machine may take longer than the usual interval to bring the first of it.
        new("broken", "200 MB of spaces", "Error", static q => FloodAsync(q, null)) { Interval = s_slow, Says = "more than" },
        new("broken", "200 MB, said before", "Error", static q => FloodAsync(q, 200_000_000)) { Says = "more than" },
        new("broken", "packed, unasked", "Error", PackedAsync),
        new("broken", "200 MB in a refusal", "Error", static q =>
        {
            q.Context.Response.StatusCode = 503;
            return FloodAsync(q, null);
        }),

        Untrusted("of another authority", static (source, all) => source.Certificate = all.OfStranger),
        Untrusted("of another host", static (source, all) => source.Certificate = all.OfAnotherHost),
        Untrusted("expired", static (source, all) => source.Certificate = all.Expired),
        Untrusted("none: plain HTTP", static (source, _) => source.Certificate = null),

        Late("late and good", Good, "Error"),
        Late("late and bad", Bad, "Error"),
        new("late", "header in time, body late", "Error", DripAsync) { Interval = s_slow, Scopes = [MetricScope.Canary] },
        new("late", "slow, yet in time", "Pass", static async q =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            await WriteAsync(q, Json, ScriptedPrometheus.Vector(Good));
        }) { Interval = s_slow, Scopes = [MetricScope.Canary] },

        Requests("three requests", "TooFew", 3) with { Says = "3 of at least 10" },
        Requests("none", "TooFew", 0),
        Requests("no series", "TooFew", null),
        Requests("NaN", "TooFew", double.NaN),
        Requests("just enough", "Pass", 10),
        Refusal(503, "text/plain", "no number", "Error") with { Group = "volume", Scopes = s_volume, Says = "volume: HTTP 503" },
        Extra("a number with warnings", "Invalid", "\"warnings\":[\"partial response\"]") with { Group = "volume", Scopes = s_volume, Says = "volume: " },
        new("volume", "three requests, all bad", "TooFew", static q => q.Query.StartsWith("requests", StringComparison.Ordinal)
            ? WriteAsync(q, Json, ScriptedPrometheus.Vector(3)) : WriteAsync(q, Json, ScriptedPrometheus.Vector(Bad))) { Scopes = s_all },

        Value("beyond the limit", "Breach", Bad) with { Group = "breach" },
        Value("just beyond the limit", "Breach", 0.010001) with { Group = "breach" },
        Value("+Inf", "Breach", double.PositiveInfinity) with { Group = "breach" },
        Result("a scalar", "Breach", "scalar", """[$now,"0.5"]""") with { Group = "breach" },
    ];

    private static MetricRow Refusal(int status, string type, string body, string verdict, bool redirects = false) =>
        new("refusals", $"{status} {type}: {body[..Math.Min(body.Length, 40)]}", verdict, q =>
        {
            q.Context.Response.StatusCode = status;
            if (redirects)
                q.Context.Response.Headers.Location = $"{q.Elsewhere.Url}/api/v1/query";
            if (status is 429 or 503)
                q.Context.Response.Headers.RetryAfter = "0";
            return WriteAsync(q, type, body);
        })
        { Says = $"HTTP {status.ToString(CultureInfo.InvariantCulture)}" };

    private static MetricRow Shape(string name, string verdict, string body) => new("shapes", name, verdict, q => WriteAsync(q, Json, body));

    private static MetricRow Result(string name, string verdict, string type, string result) => new("shapes", name, verdict, q =>
        WriteAsync(q, Json, $$"""{"status":"success","data":{"resultType":"{{type}}","result":{{result.Replace("$now", ScriptedPrometheus.Now(), StringComparison.Ordinal)}}} }"""));

    private static MetricRow Extra(string name, string verdict, string member) => new("shapes", name, verdict, q =>
        WriteAsync(q, Json, ScriptedPrometheus.Vector(Good).TrimEnd('}', ' ') + $"}}, {member} }}"));

    private static MetricRow Value(string name, string verdict, double? value) => new("numbers", name, verdict, q =>
        WriteAsync(q, Json, value is { } number ? ScriptedPrometheus.Vector(number) : """{"status":"success","data":{"resultType":"vector","result":[]}}"""));

    private static MetricRow Requests(string name, string verdict, double? value) => Value(name, verdict, value) with { Group = "volume", Scopes = s_volume };

    // Its answer would be a good one.
    private static MetricRow Untrusted(string name, Action<ScriptedPrometheus, SourceCertificates> deceive) =>
        new("certificate", name, "Error", null) { Deceive = deceive, Scopes = s_all, Says = "TLS" };

    // Longer than the timeout of 2 s; it is sent all the same, whoever still listens.
    private static MetricRow Late(string name, double value, string verdict) => new("late", name, verdict, async q =>
    {
        await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System);
        await WriteAsync(q, Json, ScriptedPrometheus.Vector(value));
    })
    { Interval = s_slow, Says = "no answer" };

    private static string Series(double value) => $"{{\"metric\":{{}},\"value\":[$now,\"{ScriptedPrometheus.Number(value)}\"]}}";

    private static string Trouble(string type, string text) => $$"""{"status":"error","errorType":"{{type}}","error":"{{text}}"}""";

    private static Task EchoAsync(MetricQuestion question)
    {
        question.Context.Response.StatusCode = 401;
        return WriteAsync(question, Json, Trouble("unauthorized", $"refused: {question.Context.Request.Headers.Authorization}"));
    }

    private static async Task CutAsync(MetricQuestion question, string body)
    {
        if (body.Length > 0)
        {
            question.Context.Response.ContentType = Json;
            question.Context.Response.ContentLength = ScriptedPrometheus.Vector(Good).Length;
            await question.Context.Response.WriteAsync(body, question.Context.RequestAborted);
            await question.Context.Response.Body.FlushAsync(question.Context.RequestAborted);
        }

        question.Context.Abort();
    }

    private static async Task FloodAsync(MetricQuestion question, long? length)
    {
        question.Context.Response.ContentType = Json;
        question.Context.Response.ContentLength = length;
        var spaces = Encoding.ASCII.GetBytes(new string(' ', 1_000_000));
        for (var i = 0; i < 200; i++)
            await question.Context.Response.Body.WriteAsync(spaces, question.Context.RequestAborted);
    }

    private static async Task PackedAsync(MetricQuestion question)
    {
        question.Context.Response.ContentType = Json;
        question.Context.Response.Headers.ContentEncoding = "gzip";
        await using var packed = new GZipStream(question.Context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await packed.WriteAsync(Encoding.UTF8.GetBytes(ScriptedPrometheus.Vector(Good)), question.Context.RequestAborted);
    }

    private static async Task DripAsync(MetricQuestion question)
    {
        question.Context.Response.ContentType = Json;
        foreach (var c in ScriptedPrometheus.Vector(Good))
        {
            await question.Context.Response.WriteAsync(c.ToString(), question.Context.RequestAborted);
            await question.Context.Response.Body.FlushAsync(question.Context.RequestAborted);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, question.Context.RequestAborted);
        }
    }

    private static Task WriteAsync(MetricQuestion question, string type, string body)
    {
        question.Context.Response.ContentType = type;
        return question.Context.Response.WriteAsync(body);
    }
}
