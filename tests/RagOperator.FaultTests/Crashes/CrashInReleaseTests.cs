using Xunit.Abstractions;

namespace RagOperator.FaultTests.Crashes;

/// <summary>A release comes in.</summary>
public sealed class CrashInReleaseTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("install")]
    [InlineData("good-release")]
    [InlineData("embedder-only")]
    public Task Crash_at_every_write_ends_as_if_it_had_not_been(string story) => CrashStory.CheckAsync(story, output);
}
