using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RagOperator.Operator.Hosting.Logging;

/// <summary>One event of the log.</summary>
internal readonly record struct LogLine(
    DateTimeOffset Time, LogLevel Level, string Category, EventId Event, string Message, Exception? Error, IReadOnlyList<KeyValuePair<string, object?>> Fields)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As one line of JSON. Names are a contract: time, level, logger, event, message, then the event's own fields, then error.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("time", Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", LevelName(Level));
            json.WriteString("logger", Category);
            if (Event.Name is { Length: > 0 } name) json.WriteString("event", name);
            else if (Event.Id != 0) json.WriteNumber("event", Event.Id);
            json.WriteString("message", Message);
            foreach (var (key, value) in Fields) WriteField(json, key, value);
            if (Error is not null) json.WriteString("error", Error.ToString());
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>As a line for people.</summary>
    public byte[] ToText()
    {
        var text = new StringBuilder(256);
        text.Append(Time.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)).Append(' ').Append(LevelName(Level).PadRight(7)).Append(' ').Append(Message);
        foreach (var (key, value) in Fields)
        {
            if (key is "namespace" or "name" or "traceId") text.Append(CultureInfo.InvariantCulture, $" {key}={value}");
        }

        text.Append('\n');
        if (Error is not null) text.Append(Error).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteField(Utf8JsonWriter json, string key, object? value)
    {
        json.WritePropertyName(key);
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool b: json.WriteBooleanValue(b); break;
            case int n: json.WriteNumberValue(n); break;
            case long n: json.WriteNumberValue(n); break;
            case double n when double.IsFinite(n): json.WriteNumberValue(n); break;
            case TimeSpan t: json.WriteNumberValue(t.TotalSeconds); break;
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static string LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
