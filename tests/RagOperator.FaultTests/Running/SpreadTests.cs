using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Running;

/// <summary>What <c>make test</c> chooses.</summary>
public sealed class SpreadTests
{
    [Theory]
    [InlineData(4, 3)]
    [InlineData(4, 39)]
    [InlineData(2, 16)]
    [InlineData(11, 22)]
    public void Stories_that_share_their_faults_meet_all_of_them_between_them_at_places_apart(int some, int places)
    {
        var turns = (FaultAction.Answers.Count + some - 1) / some;
        var chosen = Enumerable.Range(0, turns).Select(turn => FaultClass.SpreadOverActions(Plans(places), some, turn)).ToList();

        Assert.Equal(FaultAction.Answers.Order(StringComparer.Ordinal), chosen.SelectMany(static plans => plans).Select(static p => p.Faults[0].Action).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.All(chosen, plans => Assert.Equal(Math.Min(some, places), plans.Select(static p => p.Faults[0].Place).Distinct(StringComparer.Ordinal).Count()));
    }

    private static List<FaultPlan> Plans(int places) =>
        [.. Enumerable.Range(1, places).SelectMany(place => FaultAction.Answers.Select(answer => new FaultPlan("any", [new Fault { Place = $"write {place}", Action = answer }])))];
}
