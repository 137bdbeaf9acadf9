using RagOperator.TestBed;
using Spectre.Console;

namespace RagOperator.Demo;

/// <summary>The whole of it: set-up, the acts, the verdict, and nothing left behind.</summary>
internal sealed class Show(Site site, Cluster cluster)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(8);
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private TimeSpan? _took;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(s_limit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var made = new List<string>();
        var results = new List<ActResult>();
        await using var load = new Load(site);
        var live = Console.IsOutputRedirected ? null : new LiveScreen(AnsiConsole.Console, site, load, Clock);
        IScreen screen = live is null ? new LineScreen(Console.Out, site, Clock) : live;
        try
        {
            var play = PlayAsync(screen, load, results, made, either.Token);
            if (live is not null)
                await live.RunAsync(play);
            await play;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine($"demo: not over after {s_limit.TotalMinutes:0} minutes");
        }
        finally
        {
            await load.StopAsync();
            await CleanAsync(made);
        }

        return Judge(results, load, _took ?? Clock());
    }

    private async Task PlayAsync(IScreen screen, Load load, List<ActResult> results, List<string> made, CancellationToken cancellationToken)
    {
        screen.Say($"RagOperator demo on {site.Name}");
        await PrepareAsync(made, cancellationToken);
        await using var operatorView = OperatorView.Start(site);
        while (!await operatorView.IsReadyAsync(cancellationToken))
        {
            if (!operatorView.Runs || Clock() > TimeSpan.FromMinutes(1))
                throw new InvalidOperationException($"the operator does not become ready; the end of its log:\n{string.Join('\n', File.ReadLines(operatorView.Log).TakeLast(10))}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }

        screen.Say($"CRD applied, operator running as a process ({Shown.Clock(Clock())})");
        var shares = new Shares(site, load);
        Moment? before = null;
        var watcher = new Watcher(cluster, operatorView, shares, moment =>
        {
            screen.Show(moment, Narrator.Tell(before, moment));
            before = moment;
        });
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = watcher.RunAsync(ended.Token);
        var stage = new Stage(site, watcher, load, shares, cluster, operatorView, screen, cancellationToken);
        foreach (var act in Acts.All)
        {
            var result = await stage.PlayAsync(act, Acts.All.Count);
            results.Add(result);
            if (result.Problems.Count > 0)
                break;
        }

        await load.StopAsync();
        _took = Clock();
        await ended.CancelAsync();
        await watching.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    /// <summary>The CRD and a namespace; what was made is to be taken away from a cluster that is not ours.</summary>
    private static async Task PrepareAsync(List<string> made, CancellationToken cancellationToken)
    {
        var crd = Path.Combine(Site.Repository, "crds/ragoperator.dev_ragdeployments.yaml");
        var had = await Cluster.KubectlAsync(["get", "crd", "ragdeployments.ragoperator.dev", "-o", "name", "--ignore-not-found"], cancellationToken: cancellationToken);
        // Older servers do not know x-kubernetes-validations, which kubectl's own check refuses.
        (await Cluster.KubectlAsync(["apply", "--validate=false", "-f", crd], cancellationToken: cancellationToken)).OrThrow();
        if (had.Out.Trim().Length == 0)
            made.Add("crd/ragdeployments.ragoperator.dev");
        await Definitions.EstablishedAsync(arguments => Cluster.KubectlAsync(arguments, cancellationToken: cancellationToken), "ragdeployments.ragoperator.dev", cancellationToken);
        (await Cluster.KubectlAsync(["create", "namespace", Site.Namespace], cancellationToken: cancellationToken)).OrThrow();
        made.Insert(0, $"namespace/{Site.Namespace}");
    }

    private async Task CleanAsync(List<string> made)
    {
        if (site.IsBed)
            return;
        foreach (var what in made)
            if ((await Cluster.KubectlAsync(["delete", what, "--wait=false"], cancellationToken: CancellationToken.None)).Ok)
                Console.WriteLine($"{what} is being deleted");
    }

    private static int Judge(List<ActResult> results, Load load, TimeSpan took)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("act", "expected", "seen", "took");
        foreach (var act in Acts.All)
        {
            var result = results.Find(r => r.Act == act);
            table.AddRow(new Markup($"{act.Number} {act.Title.EscapeMarkup()}"), new Markup(act.Expected.EscapeMarkup()),
                new Markup(result is null ? "[grey]not played[/]" : result.Problems.Count == 0 ? result.Seen.EscapeMarkup() : $"[red]{result.Problems[0].EscapeMarkup()}[/]"),
                new Markup(result is null ? "-" : $"{result.Took.TotalSeconds:0} s"));
        }

        var console = Console.IsOutputRedirected ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors }) : AnsiConsole.Console;
        if (Console.IsOutputRedirected)
            console.Profile.Width = 140;
        console.Write(table);
        var problems = results.SelectMany(result => result.Problems.Select(problem => $"act {result.Act.Number}: {problem}")).ToList();
        if (results.Count < Acts.All.Count)
            problems.Add($"{results.Count} of {Acts.All.Count} acts were played");
        if (load.Lost > 0 || load.Total == 0)
            problems.Add($"{load.Lost} requests were lost (502, 503, 504, resets, timeouts)");
        Console.WriteLine($"{load.Total} requests in {Shown.Clock(took)} minutes: {load.Lost} lost; by status {load.Summary} (500: the bad release's own)");
        if (problems.Count == 0)
        {
            Console.WriteLine("demo: ok");
            return 0;
        }

        if (File.Exists("/proc/loadavg") && double.TryParse(File.ReadAllText("/proc/loadavg").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture, out var busy) && busy > 4 * Environment.ProcessorCount)
            problems.Add($"perhaps because this machine is busy: a load of {busy:0} on {Environment.ProcessorCount} cores over the last five minutes; a release that gets no processor is slow");
        Console.WriteLine($"demo: failed\n{string.Concat(problems.Distinct().Select(problem => $"  - {problem}\n"))}The operator's log: {Path.GetRelativePath(Site.Repository, Path.Combine(Site.Repository, "artifacts/demo/operator.log"))}");
        return 1;
    }

    private TimeSpan Clock() => TimeProvider.System.GetElapsedTime(_began);
}
