using System.Globalization;
using System.Net;
using System.Text.Json;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Sla;

/// <summary>What an answer of Prometheus' HTTP API is worth. Pure; the table is "Metric answers" in docs/metrics.md.</summary>
internal static class PrometheusAnswer
{
    // A source that answers for another time than it was asked for (a cache in between) must not pass for a fresh one. Some sources round
    // the time to their step.
    private static readonly TimeSpan TimeTolerance = TimeSpan.FromMinutes(1);

    private const string Information = "PromQL info:";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16 };

    /// <summary>Judges an answer whose status is not 2xx.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body where it is JSON, as far as it was read; else empty.</param>
    public static MetricAnswer OfRefusal(HttpStatusCode status, ReadOnlyMemory<byte> body)
    {
        var code = (int)status;
        if (code is >= 300 and < 400) return new(AnswerKind.Invalid, Message: $"HTTP {code}: redirects are not followed");
        var kind = code is >= 500 or 408 or 425 or 429 or 499 or < 200 ? AnswerKind.Error : AnswerKind.Invalid;
        return new(kind, Message: ErrorText(body) is { } text ? $"HTTP {code}: {text}" : $"HTTP {code}");
    }

    /// <summary>Judges an answer whose status is 2xx.</summary>
    /// <param name="mediaType">The content type, without parameters.</param>
    /// <param name="body">The whole body.</param>
    /// <param name="at">The time that was asked for.</param>
    public static MetricAnswer OfSuccess(string? mediaType, ReadOnlyMemory<byte> body, DateTimeOffset at)
    {
        if (IsHtml(mediaType, body.Span)) return new(AnswerKind.Invalid, Message: "the answer is HTML: this is not Prometheus' API");
        try
        {
            using var json = JsonDocument.Parse(body, Strict);
            return OfEnvelope(json.RootElement, at);
        }
        catch (JsonException)
        {
            return new(AnswerKind.Error, Message: "the answer is not JSON");
        }
        catch (InvalidOperationException)
        {
            // A text with broken escapes.
            return new(AnswerKind.Error, Message: "the answer is not proper JSON");
        }
    }

    private static MetricAnswer OfEnvelope(JsonElement root, DateTimeOffset at)
    {
        if (Text(root, "status") is not { } status) return Unusable("the answer is not one of Prometheus' API");
        if (status == "error")
        {
            // Prometheus itself sends these with a status of 4xx or 5xx; some proxies make it 200.
            var kind = Text(root, "errorType") is "bad_data" or "execution" or "not_found" or "not_acceptable" ? AnswerKind.Invalid : AnswerKind.Error;
            return new(kind, Message: ErrorText(root) ?? "the source reported an error");
        }

        if (status != "success") return Unusable("the answer is not one of Prometheus' API");
        if (Member(root, "isPartial") is { ValueKind: JsonValueKind.True }) return Unusable("the answer is partial: a part of the source did not answer");
        if (FirstWarning(root) is { } warning) return Unusable($"the answer came with a warning: {warning}");
        if (Member(root, "data") is not { ValueKind: JsonValueKind.Object } data || Member(data, "result") is not { ValueKind: JsonValueKind.Array } result)
            return Unusable("the answer has no result");
        return Text(data, "resultType") switch
        {
            "vector" => OfVector(result, at),
            "scalar" => OfPoint(result, at),
            "matrix" => Unusable("the query gives a range of values; one number is needed"),
            "string" => Unusable("the query gives a text; one number is needed"),
            _ => Unusable("the result is of an unknown type"),
        };
    }

    private static MetricAnswer OfVector(JsonElement result, DateTimeOffset at)
    {
        var count = result.GetArrayLength();
        if (count == 0) return new(AnswerKind.NoData, Message: "the query answered nothing");
        if (count > 1) return Unusable($"the query gives {count} series; one is needed");
        var series = result[0];
        if (Member(series, "value") is { } point) return OfPoint(point, at);
        return Unusable(Member(series, "histogram") is null ? "the series has no value" : "the query gives a histogram; one number is needed");
    }

    private static MetricAnswer OfPoint(JsonElement point, DateTimeOffset at)
    {
        if (point.ValueKind != JsonValueKind.Array || point.GetArrayLength() != 2 || point[0].ValueKind != JsonValueKind.Number
            || point[1].ValueKind != JsonValueKind.String)
        {
            return Unusable("the value is not a time and a number");
        }

        var seconds = point[0].GetDouble();
        if (Math.Abs(seconds - at.ToUnixTimeMilliseconds() / 1000d) > TimeTolerance.TotalSeconds)
            return new(AnswerKind.NoData, Message: "the source answered for another time than it was asked for");
        return Number(point[1].GetString()!) is { } number ? MetricAnswer.Of(number) with { PointAt = DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Round(seconds * 1000)) } : Unusable("the value is not a number");
    }

    private static double? Number(string text) => text switch
    {
        "NaN" => double.NaN,
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            ? number
            : null,
    };

    // Prometheus before 3.0 wrote what is only worth knowing about a query beside what is missing in its answer.
    private static string? FirstWarning(JsonElement root)
    {
        if (Member(root, "warnings") is not { ValueKind: JsonValueKind.Array } warnings) return null;
        foreach (var warning in warnings.EnumerateArray())
        {
            var text = warning.ValueKind == JsonValueKind.String ? warning.GetString()! : "(no text)";
            if (!text.StartsWith(Information, StringComparison.Ordinal)) return text;
        }

        return null;
    }

    private static string? ErrorText(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty) return null;
        try
        {
            using var json = JsonDocument.Parse(body, Strict);
            return ErrorText(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? ErrorText(JsonElement root) =>
        (Text(root, "errorType"), Text(root, "error")) switch
        {
            ({ } type, { } error) => $"{type}: {error}",
            (null, { } error) => error,
            ({ } type, null) => type,
            _ => null,
        };

    private static bool IsHtml(string? mediaType, ReadOnlySpan<byte> body)
    {
        if (mediaType is not null && mediaType.Contains("html", StringComparison.OrdinalIgnoreCase)) return true;
        var start = body.TrimStart(" \t\r\n"u8);
        return start.Length > 0 && start[0] == (byte)'<';
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;

    private static string? Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } member ? member.GetString() : null;

    private static MetricAnswer Unusable(string message) => new(AnswerKind.Invalid, Message: message);
}
