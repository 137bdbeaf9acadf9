using Microsoft.AspNetCore.Http;

namespace RagOperator.TestBed.Faults;

/// <summary>Passes one watch on, line by line, but for what its faults say.</summary>
/// <param name="context">The operator's request.</param>
/// <param name="kind">The plural of what is watched.</param>
/// <param name="place">Gives the next line its place.</param>
/// <param name="take">The fault of a place, if there is one.</param>
/// <param name="plant">Puts a fault at another place.</param>
internal sealed class WatchRelay(HttpContext context, string kind, Func<string, string> place, Func<string, Fault?> take, Action<Fault> plant)
{
    private const string Gone = """{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"injected: too old resource version","reason":"Expired","code":410}}""";
    private const string Bookmark = """{"type":"BOOKMARK",""";
    private static readonly TimeSpan s_hold = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_stall = TimeSpan.FromSeconds(10);
    private int _swallow;

    public async Task RunAsync(StreamReader reader)
    {
        var last = "";
        while (await reader.ReadLineAsync(context.RequestAborted) is { } line)
        {
            // A bookmark comes by the clock, about every minute: counted, it would give what comes after it another place in each run.
            var isBookmark = line.StartsWith(Bookmark, StringComparison.Ordinal);
            if (_swallow > 0)
            {
                if (!isBookmark)
                    place(kind);
                if (--_swallow > 0)
                    continue;
                await SendAsync(Gone);
                return;
            }

            if (isBookmark)
            {
                await SendAsync(line);
                continue;
            }

            if (!await PassAsync(line, last))
                return;
            last = line;
        }
    }

    /// <summary>Passes one line on, or does what its fault says.</summary>
    /// <returns>Whether the watch goes on.</returns>
    private async Task<bool> PassAsync(string line, string last)
    {
        switch (take(place(kind))?.Action)
        {
            case null:
                await SendAsync(line);
                return true;
            case FaultAction.Hold:
                await TimeProvider.System.Delay(s_hold, context.RequestAborted);
                await SendAsync(line);
                return true;
            case FaultAction.Repeat:
                await SendAsync(line);
                await SendAsync(line);
                if (last.Length > 0)
                    await SendAsync(last);
                return true;
            case FaultAction.Skip:
                _swallow = 2;
                return true;
            case FaultAction.Cut:
                return false;
            case FaultAction.CutMidLine:
                await context.Response.WriteAsync(line[..(line.Length / 2)], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                return false;
            case FaultAction.Stall:
                await TimeProvider.System.Delay(s_stall, context.RequestAborted);
                context.Abort();
                return false;
            case FaultAction.GoneEvent:
                await SendAsync(Gone);
                return false;
            case FaultAction.GoneAnswer:
                plant(new Fault { Place = $"410-answer {kind}", Action = FaultAction.GoneAnswer });
                return false;
            case FaultAction.OldList:
                plant(new Fault { Place = $"old-list {kind}", Action = FaultAction.OldList });
                await SendAsync(Gone);
                return false;
            case { } opening when opening.StartsWith(FaultAction.Open, StringComparison.Ordinal):
                plant(new Fault { Place = $"open {kind}", Action = opening });
                return false;
            case { } unknown:
                throw new InvalidOperationException($"{unknown} is no fault of a watch");
        }
    }

    private async Task SendAsync(string line)
    {
        await context.Response.WriteAsync(line + "\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
