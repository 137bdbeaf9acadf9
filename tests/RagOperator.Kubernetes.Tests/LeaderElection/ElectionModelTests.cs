using System.Globalization;
using Xunit.Abstractions;

namespace RagOperator.Kubernetes.Tests.LeaderElection;

/// <summary>Whatever happens to clocks, network and processes: never two that believe to lead, and soon one that does.</summary>
public sealed class ElectionModelTests(ITestOutputHelper output)
{
    [Fact]
    public void Never_two_lead_and_one_that_can_does_within_its_lease_and_a_second()
    {
        var histories = Setting("RAG_HISTORIES", 150);
        var first = Setting("RAG_SEED", 1);
        output.WriteLine($"RAG_SEED={first} RAG_HISTORIES={histories}");
        var terms = 0;
        for (var seed = first; seed < first + histories; seed++)
        {
            var world = new ElectionWorld(seed);
            world.Play(TimeSpan.FromMinutes(5));
            Assert.True(world.Violation is null, $"RAG_SEED={seed} RAG_HISTORIES=1: {world.Violation}\n{string.Join('\n', world.History.Split('\n').TakeLast(60))}");
            terms += world.Terms;
        }

        output.WriteLine($"{terms} terms in {histories} histories of 5 minutes");
        Assert.True(terms > histories * 3, $"only {terms} terms: the histories do not disturb anybody");
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

}
