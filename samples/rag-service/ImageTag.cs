using System.Globalization;

namespace RagOperator.SampleService;

/// <summary>
/// What the image's tag makes of the service: <c>1.2-err5</c> fails 5 of 100 requests (every 20th, counted: no luck in it),
/// <c>1.2-slow</c> takes 700 ms longer, <c>1.2-slow250</c> 250 ms, <c>1.2-crash</c> ends at once, <c>1.2-unready</c> is never ready.
/// </summary>
/// <param name="Name">The tag.</param>
/// <param name="FailEvery">Each how-manieth request fails; 0 for none.</param>
/// <param name="Delay">Added to each request.</param>
internal sealed record ImageTag(string Name, int FailEvery, TimeSpan Delay)
{
    public bool Crashes => Name.EndsWith("-crash", StringComparison.Ordinal);

    public bool NeverReady => Name.EndsWith("-unready", StringComparison.Ordinal);

    public static ImageTag FromEnvironment() => Parse(Environment.GetEnvironmentVariable("RAG_SAMPLE_TAG") ?? "dev");

    public static ImageTag Parse(string tag)
    {
        var failEvery = 0;
        var delay = TimeSpan.Zero;
        foreach (var part in tag.Split('-').Skip(1))
            if (part.StartsWith("err", StringComparison.Ordinal) && double.TryParse(part.AsSpan(3), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) && percent > 0)
                failEvery = Math.Max(1, (int)Math.Round(100 / percent));
            else if (part.StartsWith("slow", StringComparison.Ordinal))
                delay = TimeSpan.FromMilliseconds(int.TryParse(part.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds : 700);
        return new(tag, failEvery, delay);
    }
}
