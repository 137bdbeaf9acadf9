using Spectre.Console;

namespace RagOperator.Demo;

/// <summary>For a terminal: one picture of at most 23 lines, redrawn in place.</summary>
internal sealed class LiveScreen(IAnsiConsole console, Site site, Load load, Func<TimeSpan> clock) : IScreen
{
    // What fits a terminal of 80 x 24, with a line to spare.
    private const int Width = 78;
    private const int Height = 23;
    private const int NewsLines = 8;
    private const int ChangeLines = 3;
    private const int LabelWidth = 13;
    private const int BarWidth = 24;
    private readonly Lock _lock = new();
    private readonly List<(TimeSpan At, string Text)> _news = [];
    private readonly List<ActResult> _ended = [];
    private Act? _act;
    private int _count;
    private string? _command;
    private IReadOnlyList<(char Sign, string Line)> _changes = [];
    private Moment? _moment;

    public void Say(string text) => Note(text);

    public void Begin(Act act, int count, string? command, IReadOnlyList<(char Sign, string Line)> changes)
    {
        lock (_lock)
            (_act, _count, _command, _changes) = (act, count, command, changes);
    }

    public void Show(Moment moment, IReadOnlyList<string> told)
    {
        lock (_lock)
            _moment = moment;
        foreach (var text in told)
            Note(text);
    }

    public void Note(string text)
    {
        lock (_lock)
        {
            _news.Add((clock(), text));
            if (_news.Count > NewsLines)
                _news.RemoveAt(0);
        }
    }

    public void End(ActResult result)
    {
        lock (_lock)
            _ended.Add(result);
    }

    /// <summary>Redraws twice a second until <paramref name="work"/> ends.</summary>
    public Task RunAsync(Task work) => console.Live(new Text("")).AutoClear(false).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
    {
        while (!work.IsCompleted)
        {
            live.UpdateTarget(Picture());
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System));
        }

        live.UpdateTarget(Picture());
    });

    private Rows Picture()
    {
        lock (_lock)
        {
            var lines = new List<string>();
            if (_act is not null)
            {
                lines.AddRange(Wrap(_act.Intro, 2).Select(Markup.Escape));
                lines.Add($"[bold]$ {_command.EscapeMarkup()}[/]");
                lines.AddRange(_changes.Where(change => change.Sign == '+').Take(ChangeLines).Select(change => $"  [green]now: {Cut(change.Line, Width - 8).EscapeMarkup()}[/]"));
            }

            lines.Add("");
            if (_moment is { } moment)
                AddMoment(lines, moment);
            lines.Add($"[grey]{new string('─', Width)}[/]");
            // What is left of the window goes to the news; the rule above and the line below are counted.
            var room = Math.Clamp(Height - lines.Count - 2, 1, _news.Count);
            foreach (var (at, text) in _news.TakeLast(room))
                lines.Add($"[grey]{Shown.Clock(at),5}[/]  {Colored(Cut(text, Width - 7))}");
            lines.Add($"[grey]{Footer().EscapeMarkup()}[/]");
            return new Rows(
            [
                new Rule(_act is null ? "[bold]RagOperator[/]" : $"[bold]{_act.Number} of {_count}  {_act.Title.EscapeMarkup()}[/]") { Justification = Justify.Left, Style = Style.Parse("blue") },
                .. lines.Select(line => new Markup(line)),
            ]);
        }
    }

    private void AddMoment(List<string> lines, Moment moment)
    {
        var step = moment.Status.Step;
        var walks = moment.Status.CanaryRevision is not null && moment.Status.StableRevision is not null;
        var path = string.Join(" [grey]>[/] ", moment.Steps.Select((s, i) => walks && i == step?.Index ? $"[bold blue]({s.Name} {s.Weight}%)[/]" : $"[grey] {s.Name} {s.Weight}% [/]"));
        lines.Add($"{Label("steps")}{path}{(walks && step is not null ? $" {step.State}" : "")}");
        lines.Add($"{Label("wanted")}{Bar(moment.Wanted)} {Shown.Wanted(moment)}");
        lines.Add($"{Label("served")}{Bar(moment.Share)} {Cut(Shown.Served(moment, site.Counter), Width - BarWidth - LabelWidth - 1).EscapeMarkup()}");
        foreach (var metric in moment.Metrics)
            lines.Add($"{Label(metric.Name)}{metric.Value,7}  [grey]{metric.Limit,-10}[/] {Streak(metric)} {Verdict(metric.Verdict)}");
        lines.Add($"{Label("flags")}{Cut(Shown.Flags(moment), Width - LabelWidth).EscapeMarkup()}");
        lines.Add($"{Label("pods")}{Cut(Shown.Pods(moment), Width - LabelWidth).EscapeMarkup()}");
        var color = moment.Phase switch { "Healthy" => "green", "Degraded" => "red", "Suspended" => "yellow", _ => "blue" };
        lines.Add($"{Label("phase")}[{color}]{moment.Phase}[/]");
        var message = Wrap(moment.Status.Message ?? "", 2, Width - LabelWidth);
        lines.Add($"{Label("message")}{message[0].EscapeMarkup()}");
        lines.Add($"{Label("")}{message.ElementAtOrDefault(1).EscapeMarkup()}");
    }

    private string Footer()
    {
        var done = string.Concat(_ended.Select(result => $"{result.Act.Number} {(result.Problems.Count == 0 ? "ok" : "FAILED")}  "));
        return $"{done}| {Shown.Clock(clock())} | {load.Total} requests, {load.Lost} lost, {load.Errors} x 500";
    }

    private static string Streak(ShownMetric metric) =>
        $"[red]{new string('!', Math.Min(metric.Streak, metric.FailAfter))}[/][grey]{new string('.', Math.Max(0, metric.FailAfter - metric.Streak))}[/]";

    private static string Verdict(string verdict) => verdict switch { "Pass" => "[green]Pass[/]", "Breach" => "[red]Breach[/]", "" => "[grey]not asked yet[/]", _ => $"[yellow]{verdict}[/]" };

    private static string Bar(double? percent)
    {
        var full = percent is { } value ? (int)Math.Ceiling(Math.Clamp(value, 0, 100) * BarWidth / 100) : 0;
        return $"[blue]{new string('#', full)}[/][grey]{new string('.', BarWidth - full)}[/]";
    }

    private static string Colored(string text)
    {
        var color = text.StartsWith('$') ? "bold" : text.Contains("beyond", StringComparison.Ordinal) || text.StartsWith("ROLLBACK", StringComparison.Ordinal) ? "red" : "default";
        return $"[{color}]{text.EscapeMarkup()}[/]";
    }

    private static string Label(string name) => $"[grey]{Cut(name, LabelWidth - 1).PadRight(LabelWidth).EscapeMarkup()}[/]";

    /// <summary>Breaks between words, into at most so many lines; what does not fit is cut.</summary>
    private static List<string> Wrap(string text, int most, int width = Width)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
            if (lines[^1].Length + word.Length + 1 <= width)
                lines[^1] = lines[^1].Length == 0 ? word : $"{lines[^1]} {word}";
            else if (lines.Count < most)
                lines.Add(word);
            else
            {
                lines[^1] = Cut($"{lines[^1]} {word} ...", width);
                break;
            }

        return [.. lines.Select(line => Cut(line, width))];
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 3)] + "...";
}
