using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>A Lease as the server keeps it, in memory: versions, conflicts, watches; and refusals and silence on request.</summary>
internal sealed class FakeLease : ILeaseLock
{
    private readonly Lock _lock = new();
    private readonly List<Action<LeaseRecord?>> _watchers = [];
    private JsonObject? _lease;
    private int _version;

    /// <summary>Every request as <c>verb holder</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answers all requests, as long as it is set.</summary>
    public ApiReason? Refuse { get; set; }

    /// <summary>Writes happen, and their answers get lost.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Requests get no answer at all.</summary>
    public bool Mute { get; set; }

    /// <summary>Watches do not open.</summary>
    public bool NoWatch { get; set; }

    public LeaseRecord? Current
    {
        get
        {
            lock (_lock) return _lease is null ? null : LeaseRecord.Parse(Encoding.UTF8.GetBytes(_lease.ToJsonString()));
        }
    }

    /// <summary>What somebody else writes.</summary>
    public void Set(string holder, int seconds, string renewed = "2026-01-01T00:00:00.000000Z") => Write(new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = "operator", ["uid"] = "u", ["labels"] = new JsonObject { ["kept"] = "yes" } },
        ["spec"] = new JsonObject { ["holderIdentity"] = holder, ["leaseDurationSeconds"] = seconds, ["renewTime"] = renewed, ["strategy"] = "kept" },
    });

    public void Delete()
    {
        lock (_lock) _lease = null;
        Tell();
    }

    public Task<ApiResult<LeaseRecord>> GetAsync(CancellationToken cancellationToken) =>
        AnswerAsync("get", null, () => Current is { } lease ? (ApiReason.None, lease) : (ApiReason.NotFound, null), cancellationToken);

    public Task<ApiResult<LeaseRecord>> CreateAsync(JsonObject body, CancellationToken cancellationToken) =>
        AnswerAsync("create", body, () => _lease is null ? (ApiReason.None, Write(body)) : (ApiReason.AlreadyExists, null), cancellationToken);

    public Task<ApiResult<LeaseRecord>> UpdateAsync(JsonObject body, CancellationToken cancellationToken) => AnswerAsync(
        "update",
        body,
        () => _lease is null ? (ApiReason.NotFound, null)
            : body["metadata"]!["resourceVersion"]!.GetValue<string>() != $"{_version}" ? (ApiReason.Conflict, null)
            : (ApiReason.None, Write(body)),
        cancellationToken);

    public async Task<ApiResult?> WatchAsync(Action<LeaseRecord?> seen, Action opened, CancellationToken cancellationToken)
    {
        if (NoWatch) return Result(new("watch", "leases", default), ApiReason.Forbidden, null);
        lock (_lock) _watchers.Add(seen);
        opened();
        if (Current is { } lease) seen(lease);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            lock (_lock) _watchers.Remove(seen);
        }

        return null;
    }

    private async Task<ApiResult<LeaseRecord>> AnswerAsync(
        string verb, JsonObject? body, Func<(ApiReason Reason, LeaseRecord? Lease)> answer, CancellationToken cancellationToken)
    {
        Requests.Enqueue(body is null ? verb : $"{verb} {body["spec"]!["holderIdentity"]}");
        if (Mute) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        var (reason, lease) = Refuse is { } refusal ? (refusal, null) : answer();
        if (LosesAnswers) (reason, lease) = (ApiReason.Transport, null);
        return Result(new(verb, "leases", new("system", "operator")), reason, lease);
    }

    private static ApiResult<LeaseRecord> Result(ApiCall call, ApiReason reason, LeaseRecord? lease) =>
        new() { Call = call, Reason = reason, StatusCode = reason == ApiReason.Forbidden ? 403 : 200, Value = lease, Message = $"{reason}" };

    private LeaseRecord Write(JsonObject body)
    {
        lock (_lock)
        {
            _lease = body.DeepClone().AsObject();
            _lease["metadata"]!["resourceVersion"] = $"{++_version}";
            _lease["metadata"]!["uid"] ??= "u";
        }

        Tell();
        return Current!;
    }

    private void Tell()
    {
        List<Action<LeaseRecord?>> watchers;
        lock (_lock) watchers = [.. _watchers];
        foreach (var watcher in watchers) watcher(Current);
    }
}
