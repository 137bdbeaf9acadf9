namespace RagOperator.Demo;

/// <summary>What an act works with.</summary>
internal sealed class Stage(Site site, Watcher watcher, Load load, Shares shares, Cluster cluster, OperatorView operatorView, IScreen screen, CancellationToken cancellationToken)
{
    private const int EnoughRequests = 200;
    private const double Tolerance = 5;
    private readonly List<string> _problems = [];
    private string _applied = "";

    public Load Load => load;

    public Cluster Cluster => cluster;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Unix seconds at which the act's command was given.</summary>
    public double Began { get; private set; }

    public Moment Now => watcher.Current ?? throw new ActFailedException("the object has not been seen yet");

    public string Counter => site.Counter;

    /// <summary>Each moment of the act.</summary>
    public IReadOnlyList<Moment> Moments => watcher.Since(Began);

    public async Task<ActResult> PlayAsync(Act act, int count)
    {
        _problems.Clear();
        var manifest = site.Manifest(act.File);
        screen.Begin(act, count, Command(act.File), _applied.Length == 0 ? [] : Diff.Of(_applied, manifest));
        var start = TimeProvider.System.GetTimestamp();
        var seen = "";
        try
        {
            await ApplyAsync(act.File);
            seen = await act.PlayAsync(this);
        }
        catch (ActFailedException e)
        {
            _problems.Add(e.Message);
        }

        var result = new ActResult(act, seen, TimeProvider.System.GetElapsedTime(start), [.. _problems]);
        screen.End(result);
        return result;
    }

    /// <summary>What is typed in the middle of an act.</summary>
    public async Task ApplyMoreAsync(string file)
    {
        screen.Note($"$ {Command(file)}{string.Concat(Diff.Of(_applied, site.Manifest(file)).Where(change => change.Sign == '+').Select(change => $"   (now: {change.Line})"))}");
        await ApplyAsync(file);
    }

    public void Note(string text) => screen.Note(text);

    /// <summary>Notes down what is not as expected, and goes on.</summary>
    public void Check(bool condition, string problem)
    {
        if (!condition)
            _problems.Add(problem);
    }

    /// <summary>Waits for a moment in which the newest spec has been acted on and something holds.</summary>
    /// <exception cref="ActFailedException">Not within the time.</exception>
    public async Task<Moment> UntilAsync(Func<Moment, bool> condition, int seconds, string what)
    {
        var deadline = Load.Now() + seconds;
        while (Load.Now() < deadline)
        {
            var moment = await watcher.NextAsync(cancellationToken);
            if (moment.Began >= Began && moment.IsCurrent && condition(moment))
                return moment;
            if (!operatorView.Runs)
                throw new ActFailedException("the operator ended by itself");
        }

        throw new ActFailedException($"not within {seconds} s: {what}; it says: {watcher.Current?.Phase} {watcher.Current?.Status.Message}");
    }

    /// <summary>A release that goes through all its steps and becomes stable.</summary>
    public async Task<Moment> UntilPromotedAsync(string? before, int seconds)
    {
        var end = await UntilAsync(m => (m.Phase == "Healthy" && m.Status.StableRevision != before && m.IsTrue("Promoted")) || m.IsTrue("RolledBack"), seconds, "the release is stable");
        if (end.Phase != "Healthy")
            throw new ActFailedException($"taken back although it is good: {end.Status.Rollback?.Message}");
        return end;
    }

    /// <summary>Waits until Prometheus has the service's requests: without them no rollout would begin.</summary>
    public async Task UntilMetricsAsync(int seconds)
    {
        const string Query = "sum(rate(http_requests_total{service=~\"assistant-api-.*\"}[10s])) > 0";
        var url = new Uri(site.Prometheus, $"/api/v1/query?query={Uri.EscapeDataString(Query)}");
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var deadline = Load.Now() + seconds;
        while (!(await http.GetStringAsync(url, cancellationToken)).Contains("\"value\"", StringComparison.Ordinal))
        {
            if (Load.Now() > deadline)
                throw new ActFailedException($"Prometheus knows no requests of the service; {Query} is empty: does it scrape the pods, with the label service?");
            await watcher.NextAsync(cancellationToken);
        }
    }

    /// <summary>Waits until no answer shows the flag any more.</summary>
    /// <returns>When the last one that did was asked for, in Unix seconds.</returns>
    public async Task<double> UntilAnswersLackFlagAsync(int seconds)
    {
        const double Quiet = 3;
        var deadline = Load.Now() + seconds;
        while (Load.Now() < deadline)
        {
            await watcher.NextAsync(cancellationToken);
            var last = load.Answers.Where(answer => answer.Replayed).Max(answer => answer.Arrived);
            if (last < Load.Now() - Quiet)
                return last;
        }

        throw new ActFailedException($"after {seconds} s answers still show the flag");
    }

    /// <summary>Whether each step's weight was what the gateway served, over the time in which the step was held.</summary>
    /// <returns>The shares by step, for people.</returns>
    public string CheckShares(params (string Step, int Weight)[] expected)
    {
        shares.Update();
        var told = new List<string>();
        foreach (var (name, weight) in expected)
        {
            var held = Moments.Where(m => m.Status.CanaryRevision is not null && m.Status.Step is { State: "Holding" or "Waiting" } step && step.Name == name && m.Wanted == weight).ToList();
            if (held.Count < 2)
            {
                Check(false, $"step {name} was not seen to be held");
                continue;
            }

            // From the end of the first look to the beginning of the last one the weight was what it says.
            var (served, total) = shares.Count(held[0].NewRevision!, held[0].Ended, held[^1].Began);
            var share = total == 0 ? 0 : 100.0 * served / total;
            Check(total >= EnoughRequests, $"step {name}: only {total} requests to count");
            Check(Math.Abs(share - weight) <= Tolerance, $"step {name}: {weight}% wanted, {share:0.0}% of {total} requests served");
            told.Add($"{share:0.0}");
        }

        return string.Join(", ", told) + "%";
    }

    /// <summary>That nothing reaches a release that was taken back, over the next seconds.</summary>
    public async Task CheckNothingReachesAsync(string revision)
    {
        var from = Load.Now();
        var deadline = from + 20;
        var (served, total) = (0, 0);
        while (total < EnoughRequests && Load.Now() < deadline)
        {
            await watcher.NextAsync(cancellationToken);
            (served, total) = shares.Count(revision, from, Load.Now());
        }

        Check(total >= EnoughRequests, $"after weight 0: only {total} requests to count");
        Check(served == 0, $"after weight 0 was verified {served} of {total} requests still reached the release that was taken back");
        Note($"after weight 0: {served} of {total} requests reached the release that was taken back");
    }

    private static string Command(string file) => $"kubectl apply -f samples/demo/{file}";

    private async Task ApplyAsync(string file)
    {
        _applied = site.Manifest(file);
        Began = Load.Now();
        var result = await Cluster.KubectlAsync(["apply", "-f", "-"], _applied, cancellationToken);
        if (!result.Ok)
            throw new ActFailedException($"kubectl apply -f samples/demo/{file}: {result.Error.Trim()}");
    }
}
