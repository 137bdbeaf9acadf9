using System.Text.Json;

namespace RagOperator.SampleService;

/// <summary>The flags of <c>$RAG_FLAGS_DIR/flags.json</c> (flagd's schema), read again each second: on and off without a restart.</summary>
internal sealed class FlagFile(TimeProvider time) : BackgroundService
{
    private readonly string? _file = Environment.GetEnvironmentVariable("RAG_FLAGS_DIR") is { Length: > 0 } folder ? Path.Combine(folder, "flags.json") : null;
    private volatile IReadOnlyDictionary<string, bool> _current = new Dictionary<string, bool>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, bool> Current => _current;

    public bool IsOn(string flag) => _current.GetValueOrDefault(flag);

    public static IReadOnlyDictionary<string, bool> Parse(string json)
    {
        var flags = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.TryGetProperty("flags", out var all))
            foreach (var flag in all.EnumerateObject())
                flags[flag.Name] = flag.Value.TryGetProperty("state", out var state) && state.GetString() == "ENABLED"
                    && flag.Value.TryGetProperty("defaultVariant", out var variant)
                    && flag.Value.TryGetProperty("variants", out var variants)
                    && variants.TryGetProperty(variant.GetString() ?? "", out var value)
                    && value.ValueKind == JsonValueKind.True;
        return flags;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Read();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Read();
    }

    private void Read()
    {
        try
        {
            if (_file is not null && File.Exists(_file))
                _current = Parse(File.ReadAllText(_file));
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException or InvalidOperationException)
        {
            // Half-written or wrong: the flags that were read last stay.
        }
    }
}
