using System.Globalization;
using RagOperator.Kubernetes.Tests.Support;

namespace RagOperator.Kubernetes.Tests.Wire;

/// <summary>What the server holds, every event that led to it, and the right answers to lists and watches.</summary>
internal sealed class ServerTruth
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _objects = new(StringComparer.Ordinal);
    private readonly List<(int Version, string Line)> _events = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _version = 100;
    private int _oldest;

    public string Version
    {
        get
        {
            lock (_lock) return $"{_version}";
        }
    }

    /// <summary>Name and version of each object.</summary>
    public IReadOnlyDictionary<string, string> Objects
    {
        get
        {
            lock (_lock) return _objects.ToDictionary(static o => o.Key, static o => $"{o.Value}", StringComparer.Ordinal);
        }
    }

    /// <summary>What each version of each object holds: characters of one to four bytes.</summary>
    public static string ValueOf(string version) => $"v{version} ü€😀";

    /// <summary>Makes or changes an object; answers the line that a watch gets.</summary>
    public string Set(string name)
    {
        lock (_lock)
        {
            var isNew = !_objects.ContainsKey(name);
            _objects[name] = ++_version;
            return Happened(isNew ? "ADDED" : "MODIFIED", Item(name, _version));
        }
    }

    public string Delete(string name)
    {
        lock (_lock)
        {
            _objects.Remove(name);
            return Happened("DELETED", Item(name, ++_version));
        }
    }

    /// <summary>Forgets all events: watches and tokens from before are too old.</summary>
    public void Compact()
    {
        lock (_lock) _oldest = _version;
    }

    public async Task AnswerAsync(WireStream stream)
    {
        if (stream.IsWatch) await WatchAsync(stream);
        else await ListAsync(stream);
    }

    public async Task ListAsync(WireStream stream)
    {
        string? body = null;
        lock (_lock)
        {
            // A token is the version of the first page and the name to go on after.
            var token = stream.Query("continue").Split('|');
            var version = token.Length == 2 ? int.Parse(token[0], CultureInfo.InvariantCulture) : _version;
            if (version >= _oldest)
            {
                var rest = _objects.Where(o => token.Length < 2 || string.CompareOrdinal(o.Key, token[1]) > 0).ToList();
                var limit = int.TryParse(stream.Query("limit"), CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue;
                var page = rest.Take(limit).ToList();
                body = FakeApiServer.ListBody($"{version}", page.Count < rest.Count ? $"{version}|{page[^1].Key}" : "", [.. page.Select(static o => Item(o.Key, o.Value))]);
            }
        }

        if (body is null) await ExpiredAsync(stream);
        else await stream.JsonAsync(body);
    }

    public async Task WatchAsync(WireStream stream)
    {
        await stream.HeadersAsync();
        await SendAsync(stream, int.Parse(stream.Query("resourceVersion"), CultureInfo.InvariantCulture));
    }

    /// <summary>Goes on with a watch from a version: each event as it happens.</summary>
    public async Task SendAsync(WireStream stream, int from)
    {
        while (true)
        {
            List<string> lines;
            Task changed;
            bool tooOld;
            lock (_lock)
            {
                tooOld = from < _oldest && from < _version;
                lines = [.. _events.Where(e => e.Version > from).Select(static e => e.Line)];
                from = _version;
                changed = _changed.Task;
            }

            if (tooOld)
            {
                await stream.DataAsync(FakeApiServer.Error(410, "Expired"), end: true);
                return;
            }

            foreach (var line in lines) await stream.DataAsync(line);
            if (!await stream.HoldAsync(changed)) return;
        }
    }

    public static Task ExpiredAsync(WireStream stream) =>
        stream.JsonAsync("""{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Expired","message":"too old","code":410}""", 410);

    private static string Item(string name, int version) => FakeApiServer.Item(name, $"{version}", ValueOf($"{version}"));

    private string Happened(string type, string item)
    {
        var line = FakeApiServer.Event(type, item);
        _events.Add((_version, line));
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
        return line;
    }
}
