using System.Reflection;
using RagOperator.FaultTests.Scenarios;

namespace RagOperator.FaultTests.Crashes;

/// <summary>No story is left out of the crashes.</summary>
public sealed class StoriesTests
{
    [Fact]
    public void Crashes_are_tried_in_every_story()
    {
        Type[] classes = [typeof(CrashInReleaseTests), typeof(CrashInTroubleTests), typeof(CrashMidwayTests)];
        var tried = classes.SelectMany(c => c.GetMethods()).SelectMany(m => m.GetCustomAttributes<InlineDataAttribute>().SelectMany(d => d.GetData(m))).Select(d => (string)d[0]);
        Assert.Equal(Stories.All.Select(s => s.Name).Order(StringComparer.Ordinal), tried.Order(StringComparer.Ordinal));
    }
}
