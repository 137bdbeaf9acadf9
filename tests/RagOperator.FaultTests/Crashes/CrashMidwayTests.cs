using Xunit.Abstractions;

namespace RagOperator.FaultTests.Crashes;

/// <summary>Halfway the wish changes, or a person is asked.</summary>
public sealed class CrashMidwayTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("new-release-midway")]
    [InlineData("back-to-stable-midway")]
    [InlineData("approval")]
    public Task Crash_at_every_write_ends_as_if_it_had_not_been(string story) => CrashStory.CheckAsync(story, output);
}
