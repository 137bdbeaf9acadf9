using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Sla;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Sla;

/// <summary>Every row of the table "Metric answers", over a real socket.</summary>
public sealed class PrometheusMetricSourceTests : IDisposable
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);
    private readonly string _directory = Directory.CreateTempSubdirectory("ragop-sla-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("0.25", 0.25)]
    [InlineData("-1e-9", -1e-9)]
    [InlineData("+Inf", double.PositiveInfinity)]
    [InlineData("-Inf", double.NegativeInfinity)]
    public async Task QueryAsync_one_series_is_its_number(string text, double number)
    {
        await using var server = ScriptedSource.Success("vector", $$"""[{"metric":{"a":"b"},"value":[1700000000.123,"{{text}}"]}]""");

        var answer = await AskAsync(server);

        Assert.Equal(new MetricAnswer(AnswerKind.Number, number) { PointAt = At }, answer);
    }

    [Fact]
    public async Task QueryAsync_scalar_is_a_number()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"3"]""");

        Assert.Equal(3, (await AskAsync(server)).Number);
    }

    [Fact]
    public async Task QueryAsync_infos_do_not_spoil_a_number()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"3"]""", ""","infos":["metric might not be a counter"],"warnings":[]""");

        Assert.Equal(3, (await AskAsync(server)).Number);
    }

    [Fact]
    public async Task QueryAsync_warnings_that_are_all_information_do_not_spoil_a_number()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"3"]""", ""","warnings":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"],"isPartial":false""");

        Assert.Equal(3, (await AskAsync(server)).Number);
    }

    [Fact]
    public async Task QueryAsync_answer_that_a_header_alone_calls_cut_is_invalid()
    {
        const string body = """{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"3"]}}""";
        await using var server = new ScriptedSource((stream, _, ct) => stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nM3-Results-Limited: max_fetch_series_limit_applied\r\nContent-Length: {body.Length}\r\n\r\n{body}"), ct).AsTask());

        var answer = await AskAsync(server);

        Assert.Equal((AnswerKind.Invalid, true), (answer.Kind, answer.Message!.Contains("partial", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("403 Forbidden")]
    [InlineData("405 Method Not Allowed")]
    public async Task QueryAsync_source_that_forbids_POST_is_asked_by_GET_from_then_on(string refusal)
    {
        const string body = """{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"3"]}}""";
        await using var server = new ScriptedSource((stream, request, ct) => stream.WriteAsync(
            request.Line.StartsWith("POST", StringComparison.Ordinal) ? ScriptedSource.Http(refusal, "text/plain", "no") : ScriptedSource.Http("200 OK", "application/json", body), ct).AsTask());
        using var source = new PrometheusMetricSource(new MetricSourceOptions { Url = new Uri(server.Url, "/x?partial_response=false") }, TimeProvider.System);

        Assert.Equal(3, (await source.QueryAsync("rag", "a{b=\"c & d\"}", At, CancellationToken.None)).Number);
        Assert.Equal(3, (await source.QueryAsync("rag", "b", At, CancellationToken.None)).Number);

        const string path = "/x/api/v1/query?partial_response=false";
        Assert.Equal(
            [$"POST {path} HTTP/1.1", $"GET {path}&query=a%7Bb%3D%22c%20%26%20d%22%7D&time=1700000000.123&timeout=10000ms&nocache=1 HTTP/1.1", $"GET {path}&query=b&time=1700000000.123&timeout=10000ms&nocache=1 HTTP/1.1"],
            server.Requests.Select(static r => r.Line));
    }

    [Fact]
    public async Task QueryAsync_source_that_refuses_both_ways_goes_on_being_asked_by_POST()
    {
        await using var server = new ScriptedSource("403 Forbidden", "text/plain", "who are you");
        using var source = new PrometheusMetricSource(new MetricSourceOptions { Url = server.Url }, TimeProvider.System);

        Assert.Equal(AnswerKind.Invalid, (await source.QueryAsync("rag", "a", At, CancellationToken.None)).Kind);
        await source.QueryAsync("rag", "a", At, CancellationToken.None);

        Assert.Equal(["POST", "GET", "POST", "GET"], server.Requests.Select(static r => r.Line.Split(' ')[0]));
    }

    [Theory]
    [InlineData(SourceMethod.Get, "GET")]
    [InlineData(SourceMethod.Post, "POST")]
    public async Task QueryAsync_method_that_is_configured_is_the_only_one(SourceMethod method, string sent)
    {
        await using var server = new ScriptedSource("405 Method Not Allowed", "text/plain", "no");
        await AskWithAsync(new MetricSourceOptions { Url = server.Url, Method = method }, "a");
        Assert.Equal(sent, Assert.Single(server.Requests).Line.Split(' ')[0]);
    }

    [Theory]
    [InlineData("vector", "[]", "", AnswerKind.NoData, "nothing")]
    [InlineData("vector", """[{"metric":{},"value":[1700000000.123,"0"]}]""", ""","isPartial":true""", AnswerKind.Invalid, "partial")]
    [InlineData("scalar", """[1700000000.123,"1"]""", ""","warnings":["PromQL info: x","store y is down"]""", AnswerKind.Invalid, "store y is down")]
    [InlineData("vector", """[{"metric":{},"value":[1700000000.123,"NaN"]}]""", "", AnswerKind.NoData, "NaN")]
    [InlineData("scalar", """[1700000000.123,"NaN"]""", "", AnswerKind.NoData, "NaN")]
    [InlineData("vector", """[{"metric":{},"value":[1699999000,"1"]}]""", "", AnswerKind.NoData, "another time")]
    [InlineData("vector", """[{"metric":{},"value":[1700000000.123,"1"]},{"metric":{},"value":[1700000000.123,"1"]}]""", "", AnswerKind.Invalid, "2 series")]
    [InlineData("vector", """[{"metric":{},"histogram":[1700000000.123,{"count":"1"}]}]""", "", AnswerKind.Invalid, "histogram")]
    [InlineData("vector", """[{"metric":{},"value":[1700000000.123,"abc"]}]""", "", AnswerKind.Invalid, "not a number")]
    [InlineData("vector", """[{"metric":{},"value":[1700000000.123,1]}]""", "", AnswerKind.Invalid, "not a time and a number")]
    [InlineData("matrix", """[{"metric":{},"values":[[1700000000.123,"1"]]}]""", "", AnswerKind.Invalid, "range")]
    [InlineData("string", """[1700000000.123,"1"]""", "", AnswerKind.Invalid, "text")]
    [InlineData("streams", "[]", "", AnswerKind.Invalid, "unknown type")]
    [InlineData("scalar", """[1700000000.123,"1"]""", ""","warnings":["store x is down"]""", AnswerKind.Invalid, "store x is down")]
    [InlineData("vector", "[]", ""","warnings":["store x is down"]""", AnswerKind.Invalid, "store x is down")]
    public async Task QueryAsync_answers_that_are_not_one_number(string type, string result, string more, AnswerKind kind, string message)
    {
        await using var server = ScriptedSource.Success(type, result, more);

        var answer = await AskAsync(server);

        Assert.Equal(kind, answer.Kind);
        Assert.Null(answer.Number);
        Assert.Contains(message, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("400 Bad Request", AnswerKind.Invalid)]
    [InlineData("401 Unauthorized", AnswerKind.Invalid)]
    [InlineData("403 Forbidden", AnswerKind.Invalid)]
    [InlineData("404 Not Found", AnswerKind.Invalid)]
    [InlineData("405 Method Not Allowed", AnswerKind.Invalid)]
    [InlineData("422 Unprocessable Entity", AnswerKind.Invalid)]
    [InlineData("301 Moved Permanently", AnswerKind.Invalid)]
    [InlineData("408 Request Timeout", AnswerKind.Error)]
    [InlineData("429 Too Many Requests", AnswerKind.Error)]
    [InlineData("500 Internal Server Error", AnswerKind.Error)]
    [InlineData("502 Bad Gateway", AnswerKind.Error)]
    [InlineData("503 Service Unavailable", AnswerKind.Error)]
    [InlineData("504 Gateway Timeout", AnswerKind.Error)]
    public async Task QueryAsync_refusals_are_judged_by_their_status(string status, AnswerKind kind)
    {
        await using var json = new ScriptedSource(status, "application/json", """{"status":"error","errorType":"bad_data","error":"parse error"}""");
        await using var plain = new ScriptedSource(status, "text/plain", "Service Unavailable");

        var (fromJson, fromPlain) = (await AskAsync(json), await AskAsync(plain));

        Assert.Equal((kind, kind), (fromJson.Kind, fromPlain.Kind));
        Assert.StartsWith($"HTTP {status[..3]}", fromPlain.Message, StringComparison.Ordinal);
        if (status[0] != '3') Assert.Equal($"HTTP {status[..3]}: bad_data: parse error", fromJson.Message);
    }

    [Theory]
    [InlineData("text/html", "<html>login</html>", AnswerKind.Invalid)]
    [InlineData("text/plain", "\n<!doctype html>", AnswerKind.Invalid)]
    [InlineData("application/json", "{}", AnswerKind.Invalid)]
    [InlineData("application/json", "[1]", AnswerKind.Invalid)]
    [InlineData("application/json", """{"status":"success"}""", AnswerKind.Invalid)]
    [InlineData("application/json", """{"status":"error","errorType":"bad_data","error":"x"}""", AnswerKind.Invalid)]
    [InlineData("application/json", """{"status":"error","errorType":"timeout","error":"x"}""", AnswerKind.Error)]
    [InlineData("application/json", "not json", AnswerKind.Error)]
    [InlineData("application/json", "", AnswerKind.Error)]
    [InlineData("application/json", """{"status":"success","data":{"resultType":"vec""", AnswerKind.Error)]
    public async Task QueryAsync_a_200_that_is_no_result(string contentType, string body, AnswerKind kind)
    {
        await using var server = new ScriptedSource("200 OK", contentType, body);

        Assert.Equal(kind, (await AskAsync(server)).Kind);
    }

    [Fact]
    public async Task QueryAsync_deeply_nested_answer_is_an_error()
    {
        await using var server = new ScriptedSource("200 OK", "application/json", new string('[', 100_000));

        Assert.Equal(AnswerKind.Error, (await AskAsync(server)).Kind);
    }

    [Fact]
    public async Task QueryAsync_sends_the_question_as_a_form_below_the_path_given()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");
        var options = new MetricSourceOptions
        {
            Url = new Uri(server.Url, "/prometheus/?partial_response=false"),
            TenantHeaderName = "X-Scope-OrgID",
            TenantHeaderValue = "team-a",
        };

        await AskWithAsync(options, "sum(a{b=\"c & d\"})");

        var request = Assert.Single(server.Requests);
        Assert.Equal("POST /prometheus/api/v1/query?partial_response=false HTTP/1.1", request.Line);
        Assert.Equal("sum(a{b=\"c & d\"})", request.Field("query"));
        Assert.Equal("1700000000.123", request.Field("time"));
        Assert.Equal("10000ms", request.Field("timeout"));
        Assert.Equal("team-a", request.Headers["X-Scope-OrgID"]);
        Assert.DoesNotContain("Authorization", request.Headers.Keys);
    }

    [Fact]
    public async Task QueryAsync_tenant_is_the_namespace_that_asks_where_the_header_says_so()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");
        using var source = new PrometheusMetricSource(new MetricSourceOptions { Url = server.Url, TenantHeaderName = "X-Scope-OrgID", TenantHeaderValue = "k8s-$(namespace)" }, TimeProvider.System);

        await source.QueryAsync("team-a", "q", At, default);
        await source.QueryAsync("team-b", "q", At, default);

        Assert.Equal(["k8s-team-a", "k8s-team-b"], server.Requests.Select(static r => r.Headers["X-Scope-OrgID"]));
    }

    [Fact]
    public async Task QueryAsync_rotated_token_is_used_at_once()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");
        var file = Write("token", "first\n");
        using var source = new PrometheusMetricSource(new() { Url = server.Url, BearerTokenFile = file }, TimeProvider.System);

        await source.QueryAsync("rag", "q", At, default);
        Write("token", "second\n");
        await source.QueryAsync("rag", "q", At, default);
        File.Delete(file);
        await source.QueryAsync("rag", "q", At, default);

        Assert.Equal(["Bearer first", "Bearer second", "Bearer second"], server.Requests.Select(r => r.Headers["Authorization"]));
    }

    [Fact]
    public async Task QueryAsync_basic_authentication_from_a_file()
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");

        await AskWithAsync(new() { Url = server.Url, BasicUsername = "ann", BasicPasswordFile = Write("password", "pässword") });

        Assert.Equal($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("ann:pässword"))}", server.Requests[0].Headers["Authorization"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("two\nlines")]
    public async Task QueryAsync_without_a_usable_token_asks_nothing(string? token)
    {
        await using var server = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");
        var file = token is null ? Path.Combine(_directory, "absent") : Write("token", token);

        var answer = await AskWithAsync(new() { Url = server.Url, BearerTokenFile = file });

        Assert.Equal(AnswerKind.Error, answer.Kind);
        Assert.StartsWith("bearerTokenFile", answer.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task QueryAsync_echoed_secrets_stay_out_of_the_message()
    {
        await using var server = new ScriptedSource(
            "401 Unauthorized", "application/json",
            $$"""{"status":"error","error":"token s3cr3t-t0ken refused\nat http://ann:pw@proxy/ {{new string('x', 500)}}"}""");

        var answer = await AskWithAsync(new() { Url = server.Url, BearerTokenFile = Write("token", "s3cr3t-t0ken") });

        Assert.StartsWith("HTTP 401: token *** refused at http://***@proxy/ xxx", answer.Message, StringComparison.Ordinal);
        Assert.Equal(200, answer.Message!.Length);
    }

    [Fact]
    public async Task QueryAsync_redirect_is_not_followed()
    {
        await using var other = ScriptedSource.Success("scalar", """[1700000000.123,"1"]""");
        await using var server = new ScriptedSource((stream, _, ct) => stream.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other.Url}api/v1/query\r\nContent-Length: 0\r\n\r\n"), ct).AsTask());

        var answer = await AskWithAsync(new() { Url = server.Url, BearerTokenFile = Write("token", "abcdef") });

        Assert.Equal(AnswerKind.Invalid, answer.Kind);
        Assert.Single(server.Requests);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task QueryAsync_refused_connection_is_an_error()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"http://{listener.LocalEndpoint}");
        listener.Stop();

        var answer = await AskWithAsync(new() { Url = url });

        Assert.Equal(new MetricAnswer(AnswerKind.Error, Message: "connection refused"), answer);
    }

    [Fact]
    public async Task QueryAsync_no_answer_ends_with_the_timeout()
    {
        await using var server = new ScriptedSource((_, _, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct));
        var time = new FakeTimeProvider();
        using var source = new PrometheusMetricSource(new() { Url = server.Url, Timeout = TimeSpan.FromSeconds(7) }, time);

        var asking = source.QueryAsync("rag", "q", At, default);
        await Eventually.HoldsAsync(() => server.Requests.Count == 1);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(new MetricAnswer(AnswerKind.Error, Message: "no answer within 7 s"), await asking);
    }

    [Fact]
    public async Task QueryAsync_body_that_drips_ends_with_the_timeout()
    {
        var begun = new TaskCompletionSource();
        await using var server = new ScriptedSource(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray(), ct);
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        });
        var time = new FakeTimeProvider();
        using var source = new PrometheusMetricSource(new() { Url = server.Url }, time);

        var asking = source.QueryAsync("rag", "q", At, default);
        await begun.Task;
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(new MetricAnswer(AnswerKind.Error, Message: "no answer within 10 s"), await asking);
    }

    [Fact]
    public async Task QueryAsync_callers_cancellation_throws()
    {
        await using var server = new ScriptedSource((_, _, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct));
        using var source = new PrometheusMetricSource(new() { Url = server.Url }, TimeProvider.System);
        using var cancel = new CancellationTokenSource();

        var asking = source.QueryAsync("rag", "q", At, cancel.Token);
        await Eventually.HoldsAsync(() => server.Requests.Count == 1);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task QueryAsync_endless_body_is_cut_off_at_the_limit()
    {
        const long Promised = 200L << 20;
        var sent = 0L;
        await using var server = new ScriptedSource(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), ct);
            var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 0x10000)}\r\n");
            for (; sent < Promised; sent += 0x10000) await stream.WriteAsync(chunk, ct);
        });
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var answer = await AskAsync(server);

        Assert.Equal(new MetricAnswer(AnswerKind.Error, Message: "the answer has more than 1048576 bytes"), answer);
        // What the sockets hold in flight comes on top of the limit; 200 MB do not.
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 32 << 20);
        Assert.True(sent < Promised / 4, $"{sent} bytes were taken");
    }

    [Fact]
    public async Task QueryAsync_promised_length_beyond_the_limit_is_not_read()
    {
        await using var server = new ScriptedSource((stream, _, ct) =>
            stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 209715200\r\n\r\n"u8.ToArray(), ct).AsTask());

        Assert.Contains("more than", (await AskAsync(server)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QueryAsync_connection_lost_in_the_body_is_an_error()
    {
        await using var server = new ScriptedSource(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray(), ct);
            throw new IOException("enough");
        });

        Assert.Equal(AnswerKind.Error, (await AskAsync(server)).Kind);
    }

    [Fact]
    public async Task QueryAsync_what_is_not_http_is_an_error()
    {
        await using var server = new ScriptedSource((stream, _, ct) => stream.WriteAsync("SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(), ct).AsTask());

        Assert.Equal(AnswerKind.Error, (await AskAsync(server)).Kind);
    }

    [Fact]
    public async Task QueryAsync_certificate_is_trusted_by_the_file_alone()
    {
        await using var server = TlsServer("localhost", out var pem);
        await using var other = TlsServer("localhost", out var otherPem);
        var caFile = Write("ca.crt", pem);
        using var source = new PrometheusMetricSource(new() { Url = server.Url, CaFile = caFile }, TimeProvider.System);

        Assert.Equal(1, (await source.QueryAsync("rag", "q", At, default)).Number);

        var strange = await AskWithAsync(new() { Url = other.Url, CaFile = caFile });
        var unknown = await AskWithAsync(new() { Url = server.Url });
        Assert.Equal((AnswerKind.Error, AnswerKind.Error), (strange.Kind, unknown.Kind));
        Assert.StartsWith("TLS", strange.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await AskWithAsync(new() { Url = other.Url, CaFile = Write("other.crt", otherPem) })).Number);
        Assert.Equal(1, (await AskWithAsync(new() { Url = server.Url, InsecureSkipVerify = true })).Number);
    }

    [Fact]
    public async Task QueryAsync_certificate_for_another_name_is_refused()
    {
        await using var server = TlsServer("elsewhere.example", out var pem);

        var answer = await AskWithAsync(new() { Url = server.Url, CaFile = Write("ca.crt", pem) });

        Assert.Equal(AnswerKind.Error, answer.Kind);
        Assert.StartsWith("TLS", answer.Message, StringComparison.Ordinal);
    }

    private static ScriptedSource TlsServer(string name, out string pem)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        pem = certificate.ExportCertificatePem();
        var answer = ScriptedSource.Http(
            "200 OK", "application/json", """{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"1"]}}""");
        return new ScriptedSource((stream, _, ct) => stream.WriteAsync(answer, ct).AsTask(), certificate);
    }

    private static Task<MetricAnswer> AskAsync(ScriptedSource server) => AskWithAsync(new MetricSourceOptions { Url = server.Url });

    private static async Task<MetricAnswer> AskWithAsync(MetricSourceOptions options, string query = "q")
    {
        using var source = new PrometheusMetricSource(options, TimeProvider.System);
        return await source.QueryAsync("rag", query, At, default);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
