using Xunit.Abstractions;

namespace RagOperator.FaultTests.Crashes;

/// <summary>A release, a flag or the whole service is taken away.</summary>
public sealed class CrashInTroubleTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("sla-breach")]
    [InlineData("flag-breach")]
    [InlineData("flag-on-and-killed")]
    [InlineData("delete-midway")]
    [InlineData("recreate-midway")]
    public Task Crash_at_every_write_ends_as_if_it_had_not_been(string story) => CrashStory.CheckAsync(story, output);
}
