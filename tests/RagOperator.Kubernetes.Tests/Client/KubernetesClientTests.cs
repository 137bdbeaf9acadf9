using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes.Tests.Support;
using RagOperator.Tests.Shared;
using static RagOperator.Kubernetes.Tests.Support.FakeApiServer;

namespace RagOperator.Kubernetes.Tests.Client;

public sealed class KubernetesClientTests
{
    private static readonly NamespacedName Key = new("default", "a");

    [Fact]
    public async Task List_follows_continue_and_takes_the_first_pages_version()
    {
        await using var server = await StartAsync(null, List("10", "more", Item("a", "1"), Item("b", "2")), List("12", "", Item("c", "3")));
        using var client = new KubernetesClient(server.Configuration);

        var list = (await client.ListAsync<V1ConfigMap>(new ListOptions { PageSize = 2, LabelSelector = "x in (y)" })).EnsureSuccess();

        Assert.Equal(["a", "b", "c"], list.Items.Select(static i => i.Name()));
        Assert.Equal("10", list.ResourceVersion);
        Assert.Collection(
            server.Seen,
            static first => Assert.Equal(("/api/v1/configmaps", "2", "x in (y)", false), (first.Path, first.Query["limit"], first.Query["labelSelector"], first.Query.ContainsKey("continue"))),
            static second => Assert.Equal(("more", "2", false), (second.Query["continue"], second.Query["limit"], second.Query.ContainsKey("resourceVersion"))));
    }

    [Fact]
    public async Task List_whose_second_page_expired_lists_all_in_one_page()
    {
        await using var server = await StartAsync(
            null, List("10", "more", Item("a", "1"), Item("gone", "2")), Status(410, "Expired"), List("20", "", Item("a", "1"), Item("b", "15")));
        using var client = new KubernetesClient(server.Configuration);

        var list = (await client.ListAsync<V1ConfigMap>()).EnsureSuccess();

        Assert.Equal(["a", "b"], list.Items.Select(static i => i.Name()));
        Assert.Equal("20", list.ResourceVersion);
        var last = server.Seen.Last();
        Assert.False(last.Query.ContainsKey("limit") || last.Query.ContainsKey("continue"));
    }

    [Fact]
    public async Task List_item_that_the_model_cannot_hold_is_named_and_the_others_are_read()
    {
        var odd = """{"metadata":{"name":"odd","namespace":"n","resourceVersion":"2"},"data":{"x":{"nested":[1]}}}""";
        await using var server = await StartAsync(null, List("10", "", Item("a", "1"), odd, Item("b", "3")));
        using var client = new KubernetesClient(server.Configuration);

        var list = (await client.ListAsync<V1ConfigMap>()).EnsureSuccess();

        Assert.Equal(["a", "b"], list.Items.Select(static i => i.Name()));
        Assert.Equal([new NamespacedName("n", "odd")], list.Undecodable);
    }

    [Theory]
    [InlineData(429, "TooManyRequests")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task Any_verb_is_repeated_after_the_time_that_the_server_asks_for(int code, string reason)
    {
        var time = new FakeTimeProvider();
        await using var server = await StartAsync(null, Status(code, reason, retryAfter: 7), Json(Item("a", "1"), 201));
        using var client = new KubernetesClient(server.Configuration, time);

        var create = client.CreateAsync<V1ConfigMap>([], "default");
        await Wait.UntilAsync(() => time.NextTimer == time.GetUtcNow() + TimeSpan.FromSeconds(7), "the client waits 7 s");
        time.Advance(TimeSpan.FromSeconds(7));

        Assert.True((await create).IsSuccess);
        Assert.Equal(2, server.Seen.Count);
    }

    [Fact]
    public async Task Retry_that_would_exceed_the_time_limit_returns_the_answer_at_once()
    {
        await using var server = await StartAsync(null, Status(429, "TooManyRequests", retryAfter: 3600));
        using var client = new KubernetesClient(server.Configuration);

        var answer = await client.GetAsync<V1ConfigMap>(Key);

        Assert.Equal((ApiReason.TooManyRequests, TimeSpan.FromHours(1)), (answer.Reason, answer.RetryAfter));
        Assert.Single(server.Seen);
    }

    [Theory]
    [InlineData(429, "TooManyRequests")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task Write_with_something_urgent_behind_it_is_sent_once_although_the_server_asks_to_wait(int code, string reason)
    {
        await using var server = await StartAsync(null, Status(code, reason, retryAfter: 1), Json(Item("a", "1")));
        using var client = new KubernetesClient(server.Configuration);

        var answer = await client.MergePatchAsync<V1ConfigMap>([], Key, patience: TimeSpan.FromSeconds(20));

        Assert.Equal(TimeSpan.FromSeconds(1), answer.RetryAfter);
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task Answer_5xx_without_RetryAfter_is_not_repeated()
    {
        await using var server = await StartAsync(null, Status(500, "InternalError"));
        using var client = new KubernetesClient(server.Configuration);

        var answer = await client.MergePatchAsync<V1ConfigMap>([], Key);

        Assert.Equal((ApiReason.InternalError, true), (answer.Reason, answer.IsOutcomeUnknown));
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task Broken_connection_repeats_a_read_but_never_a_write()
    {
        await using var server = await StartAsync(null, Reset, Json(Item("a", "1")), Reset);
        using var client = new KubernetesClient(server.Configuration);

        Assert.True((await client.GetAsync<V1ConfigMap>(Key)).IsSuccess);
        var write = await client.CreateAsync<V1ConfigMap>([], "default");

        Assert.Equal((ApiReason.Transport, 0, true), (write.Reason, write.StatusCode, write.IsOutcomeUnknown));
        Assert.Single(server.Seen, static s => s.Method == "POST");
    }

    [Fact]
    public async Task Answer_that_does_not_come_ends_with_Transport_after_the_time_limit()
    {
        var time = new FakeTimeProvider();
        await using var server = await StartAsync();
        server.Script(server.Mute());
        using var client = new KubernetesClient(server.Configuration, time);

        var create = client.CreateAsync<V1ConfigMap>([], "default");
        await Wait.UntilAsync(() => server.Seen.Count == 1, "the request arrives");
        time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(ApiReason.Transport, (await create).Reason);
    }

    [Fact]
    public async Task Cancelled_caller_gets_an_OperationCanceledException()
    {
        await using var server = await StartAsync();
        server.Script(server.Mute());
        using var client = new KubernetesClient(server.Configuration);
        using var cancel = new CancellationTokenSource();

        var get = client.GetAsync<V1ConfigMap>(Key, cancel.Token);
        await Wait.UntilAsync(() => server.Seen.Count == 1, "the request arrives");
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
    }

    [Fact]
    public async Task Apply_sends_the_body_with_uid_and_version_as_given()
    {
        await using var server = await StartAsync(null, Json(Item("a", "6")));
        using var client = new KubernetesClient(server.Configuration);
        var body = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = "the-uid", ["resourceVersion"] = "5" },
            ["data"] = new JsonObject { ["value"] = "v" },
        };

        await client.ApplyAsync<V1ConfigMap>(body, Key, "me", force: true, subresource: "status");

        var seen = Assert.Single(server.Seen);
        Assert.Equal(("PATCH", "/api/v1/namespaces/default/configmaps/a/status", "application/apply-patch+yaml"), (seen.Method, seen.Path, seen.ContentType));
        Assert.Equal(("me", "true"), (seen.Query["fieldManager"], seen.Query["force"]));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"uid":"the-uid","resourceVersion":"5","name":"a"},"data":{"value":"v"}}"""),
            JsonNode.Parse(seen.Body)), seen.Body);
        Assert.False(body.ContainsKey("kind")); // the caller's object is not touched
    }

    [Fact]
    public async Task Delete_sends_both_preconditions_and_the_policy()
    {
        await using var server = await StartAsync(null, Json("""{"kind":"Status","apiVersion":"v1","status":"Success"}"""));
        using var client = new KubernetesClient(server.Configuration);

        var answer = await client.DeleteAsync<V1ConfigMap>(Key, "the-uid", "5", "Foreground");

        Assert.True(answer.IsSuccess);
        Assert.Null(answer.Value);
        var body = JsonNode.Parse(Assert.Single(server.Seen).Body)!;
        Assert.Equal(("Foreground", "the-uid", "5"), ((string)body["propagationPolicy"]!, (string)body["preconditions"]!["uid"]!, (string)body["preconditions"]!["resourceVersion"]!));
    }

    [Fact]
    public async Task Refused_token_is_read_again_from_its_file_and_a_read_repeated()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "old\n");
        await using var server = await StartAsync(null, Json(Item("a", "1")), Status(401, "Unauthorized"), Json(Item("a", "2")));
        using var client = new KubernetesClient(server.Configuration with { AccessToken = null, TokenFile = file });

        await client.GetAsync<V1ConfigMap>(Key);
        await File.WriteAllTextAsync(file, "new\n");
        var answer = await client.GetAsync<V1ConfigMap>(Key);

        Assert.True(answer.IsSuccess);
        Assert.Equal(["Bearer old", "Bearer old", "Bearer new"], server.Seen.Select(static s => s.Authorization));
        File.Delete(file);
    }

    [Fact]
    public async Task Token_file_is_read_again_after_a_minute_and_an_empty_one_keeps_the_token()
    {
        var time = new FakeTimeProvider();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "one");
        await using var server = await StartAsync(null, Json(Item("a", "1")));
        using var client = new KubernetesClient(server.Configuration with { AccessToken = null, TokenFile = file }, time);

        await client.GetAsync<V1ConfigMap>(Key);
        await File.WriteAllTextAsync(file, "two");
        await client.GetAsync<V1ConfigMap>(Key);
        time.Advance(TimeSpan.FromMinutes(1));
        await client.GetAsync<V1ConfigMap>(Key);
        await File.WriteAllTextAsync(file, "");
        time.Advance(TimeSpan.FromMinutes(1));
        await client.GetAsync<V1ConfigMap>(Key);

        Assert.Equal(["Bearer one", "Bearer one", "Bearer two", "Bearer two"], server.Seen.Select(static s => s.Authorization));
        File.Delete(file);
    }

    [Fact]
    public async Task Failure_names_what_was_asked_and_never_the_token()
    {
        await using var server = await StartAsync(null, Status(403, "Forbidden", "configmaps is forbidden"));
        using var client = new KubernetesClient(server.Configuration);

        var error = Assert.Throws<KubernetesException>((await client.GetAsync<V1ConfigMap>(Key)).EnsureSuccess);

        Assert.Contains("get configmaps default/a", error.Message, StringComparison.Ordinal);
        Assert.Contains("configmaps is forbidden", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-token", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_404_means_that_the_kind_is_missing()
    {
        await using var server = await StartAsync(null, static async context =>
        {
            context.Response.StatusCode = 404;
            await context.Response.Body.WriteAsync("404 page not found\n"u8.ToArray());
        });
        using var client = new KubernetesClient(server.Configuration);

        var answer = await client.GetAsync<V1ConfigMap>(Key);

        Assert.Equal(ApiReason.KindMissing, answer.Reason);
        Assert.Null(answer.ValueOrNull());
    }

    [Fact]
    public async Task Answer_that_is_too_large_is_not_read_to_its_end()
    {
        await using var server = await StartAsync(null, Json(Item("a", "1", new string('x', 100_000))));
        using var client = new KubernetesClient(server.Configuration with { MaxResponseBytes = 50_000 });
        Assert.Equal(ApiReason.Malformed, (await client.GetAsync<V1ConfigMap>(Key)).Reason);
    }

    [Fact]
    public async Task Tls_trusts_only_the_given_authority_and_the_given_name_over_http2()
    {
        using var authority = new TestCertificates();
        using var other = new TestCertificates("other-ca");
        using var certificate = authority.Server("api.internal");
        string? protocol = null;
        await using var server = await StartAsync(certificate, context =>
        {
            protocol = context.Request.Protocol;
            return Json(Item("a", "1"))(context);
        });
        var config = server.Configuration with { CertificateAuthorityData = authority.CaPem, TlsServerName = "api.internal" };

        using var right = new KubernetesClient(config);
        using var wrongName = new KubernetesClient(config with { TlsServerName = null, RequestTimeout = TimeSpan.FromSeconds(1) });
        using var wrongAuthority = new KubernetesClient(config with { CertificateAuthorityData = other.CaPem, RequestTimeout = TimeSpan.FromSeconds(1) });
        using var careless = new KubernetesClient(config with { CertificateAuthorityData = null, TlsServerName = null, SkipTlsVerify = true });

        var answer = await right.GetAsync<V1ConfigMap>(Key);
        Assert.True(answer.IsSuccess, answer.ToString());
        Assert.Equal("HTTP/2", protocol);
        Assert.Equal(ApiReason.Transport, (await wrongName.GetAsync<V1ConfigMap>(Key)).Reason);
        Assert.Equal(ApiReason.Transport, (await wrongAuthority.GetAsync<V1ConfigMap>(Key)).Reason);
        Assert.True((await careless.GetAsync<V1ConfigMap>(Key)).IsSuccess);
    }

    [Fact]
    public async Task Bundle_of_two_authorities_of_one_name_trusts_both()
    {
        using var old = new TestCertificates();
        using var current = new TestCertificates();
        using var certificate = current.Server("127.0.0.1");
        await using var server = await StartAsync(certificate, Json(Item("a", "1")));
        using var client = new KubernetesClient(server.Configuration with { CertificateAuthorityData = old.CaPem + "\n" + current.CaPem });

        var answer = await client.GetAsync<V1ConfigMap>(Key);
        Assert.True(answer.IsSuccess, answer.ToString());
    }

    [Fact]
    public async Task Proxy_of_the_configuration_is_gone_through()
    {
        await using var proxy = await StartAsync(null, Json(Item("a", "1")));
        using var client = new KubernetesClient(new KubernetesClientConfiguration { Host = new Uri("http://api.invalid"), ProxyUrl = proxy.Address });
        Assert.True((await client.GetAsync<V1ConfigMap>(Key)).IsSuccess);
    }

    [Fact]
    public async Task Answers_may_be_compressed_but_watches_are_not()
    {
        var encodings = new List<string>();
        await using var server = await StartAsync(null, async context =>
        {
            encodings.Add(context.Request.Headers.AcceptEncoding.ToString());
            if (context.Request.Headers.AcceptEncoding.Count == 0) return;
            context.Response.Headers.ContentEncoding = "gzip";
            await using var gzip = new System.IO.Compression.GZipStream(context.Response.Body, System.IO.Compression.CompressionLevel.Fastest);
            await gzip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Item("a", "1")));
        });
        using var client = new KubernetesClient(server.Configuration);

        Assert.Equal("a", (await client.GetAsync<V1ConfigMap>(Key)).EnsureSuccess().Name());
        var (watch, _) = await client.Watches.OpenAsync(
            new ApiRequest(new("watch", "configmaps", default), HttpMethod.Get, "/api/v1/configmaps?watch=true"), CancellationToken.None);
        watch!.Dispose();

        Assert.Equal(["gzip", ""], encodings);
    }

    [Fact]
    public async Task Requests_are_counted_by_verb_resource_and_code_only()
    {
        await using var server = await StartAsync(null, Json(Item("a", "1")), Status(404, "NotFound"));
        using var metrics = new KubernetesMetrics();
        using var client = new KubernetesClient(server.Configuration, metrics: metrics);
        var counted = new List<string>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (ReferenceEquals(instrument, metrics.Requests)) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add(string.Join(' ', tags.ToArray().Select(static t => $"{t.Key}={t.Value}"))));
        listener.Start();

        await client.GetAsync<V1ConfigMap>(Key);
        await client.DeleteAsync<V1ConfigMap>(Key);

        Assert.Equal(["verb=get resource=configmaps code=200", "verb=delete resource=configmaps code=404"], counted);
    }

    [Fact]
    public async Task Certificate_authority_in_a_file_may_rotate()
    {
        using var old = new TestCertificates("old");
        using var current = new TestCertificates("current");
        using var certificate = current.Server("127.0.0.1");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, old.CaPem);
        var time = new FakeTimeProvider();
        await using var server = await StartAsync(certificate, Json(Item("a", "1")));
        using var client = new KubernetesClient(server.Configuration with { CertificateAuthorityFile = file }, time);

        Assert.Equal(ApiReason.Transport, (await client.CreateAsync<V1ConfigMap>([], "default")).Reason);
        await File.WriteAllTextAsync(file, "half a certifica");
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(ApiReason.Transport, (await client.CreateAsync<V1ConfigMap>([], "default")).Reason);
        await File.WriteAllTextAsync(file, current.CaPem);
        time.Advance(TimeSpan.FromMinutes(5));
        var answer = await client.CreateAsync<V1ConfigMap>([], "default");
        Assert.True(answer.IsSuccess, answer.ToString());
        File.Delete(file);
    }

    [Fact]
    public async Task Many_idle_watches_do_not_hold_up_a_request()
    {
        using var authority = new TestCertificates();
        using var certificate = authority.Server("127.0.0.1");
        await using var server = await StartAsync(certificate);
        server.Script(server.Mute());
        using var client = new KubernetesClient(server.Configuration with { CertificateAuthorityData = authority.CaPem });
        using var stop = new CancellationTokenSource();
        var request = new ApiRequest(new("watch", "configmaps", default), HttpMethod.Get, "/api/v1/configmaps?watch=true");
        var open = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => client.Watches.OpenAsync(request, stop.Token)));

        server.Script(Json(Item("a", "1")));
        Assert.True((await client.GetAsync<V1ConfigMap>(Key).WaitAsync(TimeSpan.FromSeconds(10))).IsSuccess);
        foreach (var (stream, _) in open) stream!.Dispose();
    }
}
