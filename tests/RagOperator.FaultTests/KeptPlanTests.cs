using RagOperator.FaultTests.Running;
using Xunit.Abstractions;

namespace RagOperator.FaultTests;

/// <summary>Plans that found something once, or that the reasoning about safety leans on: run for good.</summary>
public sealed class KeptPlanTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Plans_that_are_kept_find_nothing_any_more()
    {
        var plans = Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Plans"), "*.json").Order(StringComparer.Ordinal).Select(file => FaultPlan.Parse(File.ReadAllText(file))).ToList();
        Assert.NotEmpty(plans);
        await FaultClass.CheckAsync("kept plans", plans, plans.Count, output);
    }
}
