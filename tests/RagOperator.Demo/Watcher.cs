using System.Text.Json;
using RagOperator.Abstractions.Models;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;

namespace RagOperator.Demo;

/// <summary>Looks at API and gateway twice a second and keeps every moment.</summary>
internal sealed class Watcher(Cluster cluster, OperatorView operatorView, Shares shares, Action<Moment> seen)
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(500);
    private const double RecentSeconds = 10;
    private readonly List<Moment> _moments = [];
    private readonly Lock _lock = new();
    private TaskCompletionSource<Moment> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _newRevision;
    private double _routeSince;
    private string _routeText = "";

    public Moment? Current
    {
        get
        {
            lock (_lock)
                return _moments.Count == 0 ? null : _moments[^1];
        }
    }

    public IReadOnlyList<Moment> Since(double from)
    {
        lock (_lock)
            return [.. _moments.Where(moment => moment.Began >= from)];
    }

    /// <summary>The next look's result.</summary>
    public Task<Moment> NextAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _next.Task.WaitAsync(cancellationToken);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_tick, TimeProvider.System);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (await LookAsync(cancellationToken) is { } moment)
                    Publish(moment);
            }
            catch (KubernetesException)
            {
                // A look that failed is no moment; a later one will do, and what waits for it has a deadline.
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private void Publish(Moment moment)
    {
        TaskCompletionSource<Moment> waiting;
        lock (_lock)
        {
            _moments.Add(moment);
            (waiting, _next) = (_next, new TaskCompletionSource<Moment>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        seen(moment);
        waiting.SetResult(moment);
    }

    private async Task<Moment?> LookAsync(CancellationToken cancellationToken)
    {
        var began = Load.Now();
        var deployment = await cluster.ObjectAsync(cancellationToken);
        if (deployment is null)
            return null;
        var route = await cluster.RouteAsync(cancellationToken);
        var pods = await cluster.PodsAsync(cancellationToken);
        var (values, reactions) = await operatorView.MetricsAsync(cancellationToken);
        shares.Update();
        var ended = Load.Now();
        var status = deployment.Status ?? new RagDeploymentStatus();
        var weights = WeightsOf(route);
        if (status.Components?.Find(component => component.Name == "api")?.Revision is { } revision && (status.CanaryRevision is not null || status.FailedRevision is null))
            _newRevision = revision;
        var text = string.Join(' ', weights) + status.Step?.State;
        if (text != _routeText)
            (_routeText, _routeSince) = (text, ended);
        return new Moment
        {
            Began = began,
            Ended = ended,
            Generation = deployment.Metadata.Generation ?? 0,
            Status = status,
            Steps = StepsOf(deployment.Spec),
            Route = weights,
            Pods = pods,
            Metrics = [.. (status.Sla ?? []).Select(metric => ShownMetric.Of(metric, values.TryGetValue(metric.Name, out var live) ? live : null))],
            NewRevision = _newRevision,
            Served = _newRevision is null ? (0, 0) : shares.Count(_newRevision, Math.Max(_routeSince, ended - RecentSeconds), ended),
            Reactions = reactions,
        };
    }

    private static List<(string Name, int Weight)> StepsOf(JsonElement? spec) =>
        spec is { } given && given.TryGetProperty("rollout", out var rollout) && rollout.TryGetProperty("steps", out var steps)
            ? [.. steps.EnumerateArray().Select(step => (step.GetProperty("name").GetString()!, step.GetProperty("weight").GetInt32()))]
            : [];

    private static Dictionary<string, int> WeightsOf(V1HTTPRoute? route)
    {
        var prefix = $"{Site.Object}-api-";
        var weights = new Dictionary<string, int>(StringComparer.Ordinal);
        if (route?.Spec is not { } spec || !spec.TryGetProperty("rules", out var rules))
            return weights;
        foreach (var backend in rules.EnumerateArray().First().GetProperty("backendRefs").EnumerateArray())
            if (backend.GetProperty("name").GetString() is { } name && name.StartsWith(prefix, StringComparison.Ordinal))
                weights[name[prefix.Length..]] = backend.TryGetProperty("weight", out var weight) && weight.ValueKind == JsonValueKind.Number ? weight.GetInt32() : 1;
        var sum = weights.Values.Sum();
        return sum is 0 or 100 ? weights : weights.ToDictionary(pair => pair.Key, pair => pair.Value * 100 / sum, StringComparer.Ordinal);
    }
}
