using System.Collections.Concurrent;
using System.Text.Json;

namespace RagOperator.ClusterTests.Rights;

/// <summary>One request that the API server refused for want of a right.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Resource">The resource, with its subresource.</param>
/// <param name="Namespace">Where; empty for the whole cluster.</param>
internal sealed record Refusal(string Verb, string Resource, string Namespace)
{
    /// <summary>Whether a right, and no other, would have let it through.</summary>
    public bool IsFor(Right right) => (Verb, Resource) == (right.Verb, right.Resource) && (right.IsOwn ? Namespace == ChartRights.Home : Namespace != ChartRights.Home || right.Mode == Mode.Cluster);

    public override string ToString() => $"{Verb} {Resource}{(Namespace.Length > 0 ? $" in {Namespace}" : "")}";
}

/// <summary>Who was refused what, from the API server's audit log, read as it grows.</summary>
internal sealed class Refusals : IAsyncDisposable
{
    // What the admission plugin says that asks for `update` on the owner's finalizers; the request that it refuses is the child's.
    private const string Finalizers = "a resource you can't set finalizers on";
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private readonly string _file;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Refusal>> _refused = new(StringComparer.Ordinal);
    private readonly Task _run;

    public Refusals(string file)
    {
        _file = file;
        _run = Task.Run(RunAsync);
    }

    /// <summary>What the account of a name in <see cref="ChartRights.Home"/> was refused so far.</summary>
    public IReadOnlyCollection<Refusal> Of(string account) => _run.IsFaulted
        ? throw new InvalidOperationException("the audit log cannot be read", _run.Exception)
        : _refused.TryGetValue($"system:serviceaccount:{ChartRights.Home}:{account}", out var found) ? [.. found] : [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var reader = new StreamReader(new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            await FollowAsync(reader);
        }
    }

    /// <summary>Reads until asked to stop, or until the file has been followed by another of its name.</summary>
    private async Task FollowAsync(StreamReader reader)
    {
        var rest = "";
        var left = false;
        while (!_stop.IsCancellationRequested)
        {
            var text = rest + await reader.ReadToEndAsync();
            var end = text.LastIndexOf('\n') + 1;
            foreach (var line in text[..end].Split('\n')) Take(line);
            rest = text[end..];
            if (left) return;
            // Whatever came between the last read and the change is read once more.
            left = new FileInfo(_file).Length < reader.BaseStream.Position;
            if (!left) await Task.Delay(s_poll, TimeProvider.System, CancellationToken.None);
        }
    }

    private void Take(string line)
    {
        if (!line.Contains("\"code\":403", StringComparison.Ordinal) || !line.Contains($"system:serviceaccount:{ChartRights.Home}:", StringComparison.Ordinal)) return;
        var entry = JsonElement.Parse(line);
        var status = entry.GetProperty("responseStatus");
        if (status.GetProperty("code").GetInt32() != 403 || !entry.TryGetProperty("objectRef", out var about)) return;
        var place = Text(about, "namespace");
        var refused = _refused.GetOrAdd(Text(entry.GetProperty("user"), "username"), static _ => new ConcurrentQueue<Refusal>());
        if (entry.TryGetProperty("responseObject", out var answer) && Text(answer, "message").Contains(Finalizers, StringComparison.Ordinal)) refused.Enqueue(new Refusal("update", "ragdeployments/finalizers", place));
        // A 403 of an admission plugin (a quota, a namespace that ends) is about no right.
        else if (entry.TryGetProperty("annotations", out var notes) && Text(notes, "authorization.k8s.io/decision") == "forbid")
            refused.Enqueue(new Refusal(Text(entry, "verb"), Text(about, "resource") + (Text(about, "subresource") is { Length: > 0 } sub ? $"/{sub}" : ""), place));
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
