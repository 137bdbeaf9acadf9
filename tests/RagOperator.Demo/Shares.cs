using System.Text.Json;

namespace RagOperator.Demo;

/// <summary>Who really served the requests: nginx' own log of them, or, where that cannot be read, what the answers say.</summary>
internal sealed class Shares(Site site, Load load)
{
    private const string ServicePrefix = $"{Site.Namespace}/{Site.Object}-api-";
    private readonly List<Served> _requests = [];
    private long _offset;
    private int _taken;

    /// <summary>Takes in what was answered since the last time.</summary>
    public void Update()
    {
        if (site.AccessLog is { } log)
            ReadLog(log);
        else
            ReadAnswers();
    }

    /// <summary>How many of the requests that arrived in a stretch of time a revision served, and of how many.</summary>
    /// <param name="revision">Of the traffic component.</param>
    /// <param name="from">Unix seconds.</param>
    /// <param name="to">Unix seconds.</param>
    public (int Served, int Total) Count(string revision, double from, double to)
    {
        var (served, total) = (0, 0);
        // Answers come about in the order of arrival: what is much older than the stretch ends the search.
        for (var i = _requests.Count - 1; i >= 0 && _requests[i].Arrived > from - 15; i--)
        {
            if (_requests[i].Arrived < from || _requests[i].Arrived > to)
                continue;
            total++;
            if (_requests[i].Revision == revision)
                served++;
        }

        return (served, total);
    }

    private void ReadLog(string log)
    {
        if (!File.Exists(log))
            return;
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(_offset, SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        var whole = text.LastIndexOf('\n') + 1; // the rest is being written
        _offset += System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, whole));
        foreach (var line in text[..whole].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var json = JsonElement.Parse(line);
            var service = json.GetProperty("service").GetString()!;
            _requests.Add(new Served(
                json.GetProperty("time").GetDouble() - json.GetProperty("seconds").GetDouble(),
                service.StartsWith(ServicePrefix, StringComparison.Ordinal) ? service[ServicePrefix.Length..] : service,
                json.GetProperty("status").GetInt32(), Replayed: false));
        }
    }

    private void ReadAnswers()
    {
        foreach (var answer in load.Answers.Skip(_taken))
        {
            _taken++;
            if (answer.Revision.Length > 0)
                _requests.Add(answer);
        }
    }
}
