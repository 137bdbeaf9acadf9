using System.Text.RegularExpressions;

namespace RagOperator.Demo;

/// <summary>For a pipe or a file: lines, and only where something changed.</summary>
internal sealed partial class LineScreen(TextWriter output, Site site, Func<TimeSpan> clock) : IScreen
{
    private readonly Lock _lock = new();
    private string _message = "";

    public void Say(string text) => Write(text);

    public void Begin(Act act, int count, string? command, IReadOnlyList<(char Sign, string Line)> changes)
    {
        Write("");
        Write($"== {act.Number} of {count}: {act.Title}");
        Write($"   {act.Intro}");
        if (command is not null)
            Command(command, changes);
    }

    public void Show(Moment moment, IReadOnlyList<string> told)
    {
        if (told.Count == 0)
            return;
        Write($"{Time()} {string.Join("; ", told)}");
        Write($"        step {Shown.Step(moment)} | wanted {Shown.Wanted(moment)} | served {Shown.Served(moment, site.Counter)}");
        if (moment.Metrics.Count > 0)
            Write($"        {string.Join(" | ", moment.Metrics.Select(Shown.Metric))}");
        Write($"        flags {Shown.Flags(moment)} | pods {Shown.Pods(moment)}");
        var message = moment.Status.Message ?? "";
        if (Digits().Replace(message, "") != Digits().Replace(_message, ""))
            Write($"        {message}");
        _message = message;
    }

    public void Note(string text) => Write($"{Time()} {text}");

    public void End(ActResult result)
    {
        foreach (var problem in result.Problems)
            Write($"{Time()} NOT AS EXPECTED: {problem}");
        Write($"{Time()} {(result.Problems.Count == 0 ? "ok" : "FAILED")} after {result.Took.TotalSeconds:0} s: {result.Seen}");
    }

    private void Command(string command, IReadOnlyList<(char Sign, string Line)> changes)
    {
        Write($"   $ {command}");
        foreach (var (sign, line) in changes)
            Write($"     {sign} {line}");
    }

    private string Time() => $"{Shown.Clock(clock()),6} ";

    private void Write(string line)
    {
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
