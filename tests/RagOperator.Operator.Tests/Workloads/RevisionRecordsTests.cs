using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Json;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

public sealed class RevisionRecordsTests
{
    [Fact]
    public void Release_reads_back_as_it_was_written()
    {
        var release = Sample.Release();

        var read = RevisionRecords.ReadRelease(Read(RevisionRecords.OfRelease(Sample.Owner, release)));

        Assert.NotNull(read);
        Assert.Equal(release.Hash, read.Hash);
        Assert.Equal(release.Number, read.Number);
        Assert.Equal(release.Flags, read.Flags);
        foreach (var component in new[] { "api", "embedder" })
        {
            Assert.True(JsonNode.DeepEquals(
                WorkloadManifests.Deployment(Sample.Owner, release, component, 2, PodEnvironment.None),
                WorkloadManifests.Deployment(Sample.Owner, read, component, 2, PodEnvironment.None)));
        }
    }

    [Fact]
    public void Release_is_told_from_policy_by_its_label()
    {
        var release = Read(RevisionRecords.OfRelease(Sample.Owner, Sample.Release()));
        var policy = Read(RevisionRecords.OfPolicy(Sample.Owner, "assistant-policy-x", Sample.Element("""{"components":[]}"""), 3));

        Assert.True(RevisionRecords.IsRelease(release) && !RevisionRecords.IsPolicy(release));
        Assert.True(RevisionRecords.IsPolicy(policy) && !RevisionRecords.IsRelease(policy));
        Assert.Equal("""{"components":[]}""", RevisionRecords.ReadPolicy(policy)!.Value.GetRawText());
    }

    [Fact]
    public void Data_is_the_same_byte_by_byte_when_another_writer_of_JSON_writes_it_anew()
    {
        var policy = RevisionRecords.OfPolicy(Sample.Owner, "p", Sample.Element("""{"z":"a < b && 'c' + \"\u00e4\"","a":[2.50,null]}"""), 3);
        foreach (var data in new[] { RevisionRecords.OfRelease(Sample.Owner, Sample.Release())["data"]!.AsObject(), policy["data"]!.AsObject() })
        {
            Assert.Equal(data.Select(m => m.Key).Order(StringComparer.Ordinal), data.Select(m => m.Key));
            Assert.All(data, m => Assert.Matches("^(\"[A-Za-z0-9_, -]*\"|[0-9]+)$", m.Value!.ToJsonString()));
        }

        Assert.Equal("""{"z":"a < b && 'c' + \"\u00e4\"","a":[2.50,null]}""", RevisionRecords.ReadPolicy(Read(policy))!.Value.GetRawText());
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"preimage":"*"}""")]
    [InlineData("""{"preimage":"e30"}""")]
    [InlineData("[]")]
    [InlineData("""{"hash":5}""")]
    public void Release_that_somebody_broke_reads_as_none(string data)
    {
        Assert.Null(RevisionRecords.ReadRelease(new V1ControllerRevision { Data = Sample.Element(data) }));
    }

    [Theory]
    [InlineData("SlaBreach: p95", "a,b")]
    [InlineData(null, "a")]
    [InlineData("x", "")]
    public void Marks_read_back_as_set_and_go_when_taken_away(string? failed, string struck)
    {
        string[] flags = struck.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var body = RevisionRecords.OfRelease(Sample.Owner, Sample.Release());
        var view = new ReleaseView { Name = "assistant-rel0000001", Uid = "u", ResourceVersion = "1", Record = Sample.Release() };

        var marked = MergePatch.Apply(RevisionRecords.Marks(new MarkRelease(view, failed, flags)), body);
        var cleared = MergePatch.Apply(RevisionRecords.Marks(new MarkRelease(view, null, [])), marked);

        Assert.Equal(failed, RevisionRecords.FailedMark(Read(marked)));
        Assert.Equal(flags, RevisionRecords.StruckMark(Read(marked)));
        Assert.Null(RevisionRecords.FailedMark(Read(cleared)));
        Assert.Empty(RevisionRecords.StruckMark(Read(cleared)));
    }

    private static V1ControllerRevision Read(JsonObject body) => body.Deserialize(AbstractionsJsonContext.Default.V1ControllerRevision)!;
}
