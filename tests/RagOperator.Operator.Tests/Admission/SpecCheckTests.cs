using System.Text.Json.Nodes;
using RagOperator.Api;
using RagOperator.Operator.Admission;
using RagOperator.Tests.Shared.Objects;

namespace RagOperator.Operator.Tests.Admission;

public sealed class SpecCheckTests
{
    private readonly SpecCheck _check = new(Reviews.Catalog);

    public static TheoryData<string> Cases() => [.. SpecCase.All.Select(static c => c.Name)];

    [Fact]
    public void Cases_are_many_and_each_kind_of_judge_has_some()
    {
        Assert.InRange(SpecCase.All.Count, 50, 500);
        Assert.Equal(SpecCase.All.Count, SpecCase.All.DistinctBy(static c => c.Name).Count());
        Assert.All((string[])["schema", "cel", "no", "prunes"], kind => Assert.Contains(SpecCase.All, c => c.Schema == kind && !c.IsGood));
        Assert.Contains(SpecCase.All, static c => c.IsGood);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_is_judged_alike_by_operator_and_webhook(string name)
    {
        var @case = SpecCase.All.Single(c => c.Name == name);
        var request = Reviews.Of(null, @case.Object);

        var operatorSays = SpecReader.Read(AdmissionObject.Of(request, request.Object), Reviews.Catalog);
        var webhookSays = _check.Review(request);

        Assert.Equal(Sorted(@case.Problems), Sorted(operatorSays.Problems.Select(static p => p.Field)));
        Assert.Equal(@case.IsGood, webhookSays.Allowed);
        if (@case.IsGood)
        {
            Assert.Equal(Sorted(@case.Warnings), Sorted((webhookSays.Warnings ?? []).Select(static w => w.Split(": ")[0])));
            return;
        }

        Assert.Equal((422, "Invalid"), (webhookSays.Status!.Code, webhookSays.Status.Reason));
        Assert.Equal(Sorted(@case.Problems), Sorted(webhookSays.Status.Details!.Causes!.Select(static c => c.Field!)));
        // Clients that show the message alone miss nothing either.
        Assert.All(@case.Problems, field => Assert.Contains(field, webhookSays.Status.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Invalid_object_takes_labels_and_loses_finalizers_but_no_edit_of_spec()
    {
        var bad = SpecCase.All.Single(static c => c.Name == "three things at once").Object;
        var labelled = Changed(bad, static o => o["metadata"]!["labels"] = new JsonObject { ["team"] = "search" });
        var going = Changed(bad, static o => (o["metadata"]!["deletionTimestamp"], o["spec"]!["rollout"]!["paused"]) = ("2026-01-01T00:00:00Z", true));
        var edited = Changed(bad, static o => o["spec"]!["rollout"]!["paused"] = true);

        Assert.True(_check.Review(Reviews.Of(bad, labelled)).Allowed);
        Assert.True(_check.Review(Reviews.Of(bad, going)).Allowed);
        Assert.False(_check.Review(Reviews.Of(bad, edited)).Allowed);
    }

    [Fact]
    public void Invalid_object_takes_a_kill_switch_as_long_as_nothing_gets_worse()
    {
        var bad = SpecCase.All.Single(static c => c.Name == "three things at once").Object;
        var off = Changed(bad, static o => o["spec"]!["featureFlags"]!["flags"]![0]!["enabled"] = false);
        var worse = Changed(off, static o => o["spec"]!["rollout"]!["steps"]![0]!["hold"] = "730d");
        var fromGood = Reviews.Of(SpecCase.All[0].Object, off);

        var answer = _check.Review(Reviews.Of(bad, off));

        Assert.True(answer.Allowed);
        Assert.Equal(3, answer.Warnings!.Count);
        Assert.False(_check.Review(Reviews.Of(bad, worse)).Allowed);
        Assert.False(_check.Review(fromGood).Allowed);
    }

    [Theory]
    [InlineData("embedder:2", "recall stays", false)]
    [InlineData("embedder:1", "", false)]
    [InlineData("embedder:2", "", true)]
    [InlineData("embedder:2", "recall is only reported", true)]
    public void Embedder_that_changes_is_warned_of_while_nothing_checks_the_index(string image, string metrics, bool warned)
    {
        var before = SpecCase.All[0].Object;
        var after = Changed(before, o =>
        {
            o["spec"]!["components"]![1]!["template"]!["spec"]!["containers"]![0]!["image"] = image;
            o["spec"]!["components"]![1]!["replicas"] = 3;
            if (metrics.Length == 0) o["spec"]!["sla"]!["metrics"]!.AsArray().RemoveAt(1);
            else if (metrics.EndsWith("reported", StringComparison.Ordinal)) o["spec"]!["sla"]!["metrics"]![1]!["onBreach"] = "Report";
        });

        var answer = _check.Review(Reviews.Of(before, after));

        Assert.True(answer.Allowed, answer.Status?.Message);
        Assert.Equal(warned, (answer.Warnings ?? []).Any(static w => w.StartsWith("spec.components[1]: \"embedder\": changes the embedder", StringComparison.Ordinal)));
    }

    [Fact]
    public void Object_that_is_to_be_named_by_the_server_is_judged_by_the_length_it_will_have()
    {
        var made = Changed(SpecCase.All[0].Object, static o => o["metadata"] = new JsonObject { ["generateName"] = "a-name-of-forty-one-characters-for-one-o-" });

        var answer = _check.Review(Reviews.Of(null, made) with { Name = null });

        Assert.Equal("spec.components[1].name", Assert.Single(answer.Status!.Details!.Causes!).Field);
    }

    private static JsonObject Changed(JsonObject from, Action<JsonObject> change)
    {
        var to = (JsonObject)from.DeepClone();
        change(to);
        return to;
    }

    private static List<string> Sorted(IEnumerable<string> texts) => [.. texts.Order(StringComparer.Ordinal)];
}
