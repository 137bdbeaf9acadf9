namespace RagOperator.Operator.Hosting.Logging;

/// <summary>Writes each event as one line, whole lines only, to a stream.</summary>
internal sealed class LineLoggerProvider(Stream output, bool json, TimeProvider time) : ILoggerProvider, ISupportExternalScope
{
    // Names that a line has for itself.
    private static readonly HashSet<string> Taken = ["time", "level", "logger", "event", "message", "error", "{OriginalFormat}"];

    private readonly Lock _lock = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    /// <inheritdoc/>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <inheritdoc/>
    public void Dispose() => output.Flush();

    private void Write(LogLine line)
    {
        var bytes = json ? line.ToJson() : line.ToText();
        lock (_lock)
        {
            try
            {
                output.Write(bytes);
                output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads any more: no reason to stop rolling out.
            }
        }
    }

    private sealed class LineLogger(LineLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        // Levels are filtered before.
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var fields = new List<KeyValuePair<string, object?>>();
            owner._scopes.ForEachScope(
                static (scope, into) =>
                {
                    if (scope is IEnumerable<KeyValuePair<string, object?>> pairs) Add(into, pairs);
                },
                fields);
            if (state is IEnumerable<KeyValuePair<string, object?>> own) Add(fields, own);
            owner.Write(new LogLine(owner.Now, logLevel, category, eventId, formatter(state, exception), exception, fields));
        }

        /// <summary>Adds fields; one that comes later replaces one of its name, so that no line has a name twice.</summary>
        private static void Add(List<KeyValuePair<string, object?>> into, IEnumerable<KeyValuePair<string, object?>> pairs)
        {
            foreach (var (key, value) in pairs)
            {
                if (key.Length == 0 || Taken.Contains(key)) continue;
                var name = char.IsAsciiLetterUpper(key[0]) ? char.ToLowerInvariant(key[0]) + key[1..] : key;
                if (Taken.Contains(name)) name += "Value";
                var place = into.FindIndex(f => f.Key == name);
                if (place >= 0) into[place] = new(name, value);
                else into.Add(new(name, value));
            }
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();
}
