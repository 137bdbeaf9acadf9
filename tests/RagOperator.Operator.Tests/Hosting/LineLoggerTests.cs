using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RagOperator.Operator.Hosting.Logging;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Hosting;

public sealed partial class LineLoggerTests : IDisposable
{
    private readonly MemoryStream _stream = new();

    public void Dispose() => _stream.Dispose();

    [Fact]
    public void Json_one_line_with_the_fields_of_pass_and_event()
    {
        using (var factory = Factory(json: true))
        {
            var logger = factory.CreateLogger("RagOperator.Test");
            using (logger.BeginScope(new KeyValuePair<string, object?>[] { new("traceId", "abc"), new("namespace", "rag"), new("name", "assistant") }))
                LogMoved(logger, new InvalidOperationException("two\nlines"), "a \"quoted\" thing", 5);
        }

        var line = Assert.Single(Text().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var json = JsonDocument.Parse(line).RootElement;
        Assert.Equal(
            ["time", "level", "logger", "event", "message", "traceId", "namespace", "name", "what", "weight", "error"],
            json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("2026-01-01T00:00:00.000Z", json.GetProperty("time").GetString());
        Assert.Equal("warning", json.GetProperty("level").GetString());
        Assert.Equal("LogMoved", json.GetProperty("event").GetString());
        Assert.Equal("Moved a \"quoted\" thing to 5", json.GetProperty("message").GetString());
        Assert.Equal(5, json.GetProperty("weight").GetInt32());
        Assert.Contains("InvalidOperationException: two\nlines", json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_no_name_comes_twice()
    {
        using (var factory = Factory(json: true))
        {
            var logger = factory.CreateLogger("x");
            using (logger.BeginScope(new KeyValuePair<string, object?>[] { new("name", "outer"), new("level", "x"), new("Message", "y") }))
                LogName(logger, "inner");
        }

        var names = JsonDocument.Parse(Text()).RootElement.EnumerateObject().Select(p => p.Name).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.Equal("inner", JsonDocument.Parse(Text()).RootElement.GetProperty("name").GetString());
    }

    [Fact]
    public void Text_is_one_line_for_people()
    {
        using (var factory = Factory(json: false)) LogName(factory.CreateLogger("x"), "assistant");

        Assert.Equal("00:00:00.000 info    Named assistant name=assistant\n", Text());
    }

    [LoggerMessage(1, LogLevel.Warning, "Moved {What} to {Weight}")]
    private static partial void LogMoved(ILogger logger, Exception e, string what, int weight);

    [LoggerMessage(2, LogLevel.Information, "Named {Name}")]
    private static partial void LogName(ILogger logger, string name);

    private ILoggerFactory Factory(bool json) =>
        LoggerFactory.Create(b => b.AddProvider(new LineLoggerProvider(_stream, json, new FakeTimeProvider())));

    private string Text() => Encoding.UTF8.GetString(_stream.ToArray());
}
