using System.Text.Json.Nodes;
using RagOperator.Abstractions.Models;
using RagOperator.Operator.FeatureFlags;
using RagOperator.Operator.Json;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.FeatureFlags;

public sealed class FlagFilesTests
{
    private static readonly Dictionary<string, bool> Flags = new() { ["soft-q-bandit"] = false, ["experience-replay"] = true };

    [Fact]
    public void Write_gives_flagds_schema_and_shell_variables()
    {
        var files = FlagFiles.Write(Flags);

        Same.Json(
            """
            {"$schema":"https://flagd.dev/schema/v0/flags.json",
             "flags":{"experience-replay":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"},
              "soft-q-bandit":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}
            """,
            JsonNode.Parse(files["flags.json"]));
        var lines = files["flags.env"].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("#", lines[0], StringComparison.Ordinal);
        Assert.Equal(["FEATURE_EXPERIENCE_REPLAY=true", "FEATURE_SOFT_Q_BANDIT=false"], lines[1..]);
    }

    [Fact]
    public void Write_without_flags_gives_files_that_are_not_empty()
    {
        var files = FlagFiles.Write(new Dictionary<string, bool>());

        Assert.All(files.Values, static f => Assert.NotEmpty(f.Trim()));
        Assert.NotNull(JsonNode.Parse(files["flags.json"])!["flags"]);
        Assert.Empty(FlagFiles.Read(files)!);
    }

    [Fact]
    public void Read_gives_what_was_written_in_any_order()
    {
        Assert.Equal(Flags, FlagFiles.Read(FlagFiles.Write(Flags)));
        Assert.Equal(FlagFiles.Write(Flags), FlagFiles.Write(Flags.Reverse().ToDictionary()));
    }

    [Fact]
    public void Read_of_files_changed_by_hand_gives_nothing()
    {
        var written = FlagFiles.Write(Flags);
        Assert.Null(FlagFiles.Read(null));
        Assert.Null(FlagFiles.Read(new Dictionary<string, string>()));
        Assert.Null(FlagFiles.Read(new Dictionary<string, string>(written) { ["flags.env"] = "FEATURE_EXPERIENCE_REPLAY=false\n" }));
        Assert.Null(FlagFiles.Read(new Dictionary<string, string>(written) { ["more"] = "x" }));
        Assert.Null(FlagFiles.Read(new Dictionary<string, string>(written) { ["flags.json"] = "{" }));
        Assert.Null(FlagFiles.Read(new Dictionary<string, string>(written) { ["flags.json"] = written["flags.json"] + " " }));
    }

    [Fact]
    public void Patch_brings_a_changed_config_map_back()
    {
        var wanted = FlagsConfigMap.Body(Sample.Owner, "api", Sample.ApiRevision, Flags);
        var current = new V1ConfigMap
        {
            Metadata = new() { Name = "n", Uid = "u", ResourceVersion = "4" },
            Data = new() { ["flags.json"] = "{}", ["own"] = "x" },
        };
        var before = Sample.Object("""{"metadata":{"name":"n"},"data":{"flags.json":"{}","own":"x"}}""");

        var patch = FlagsConfigMap.Patch(current, wanted);

        Assert.Equal("4", patch["metadata"]!["resourceVersion"]!.GetValue<string>());
        Assert.True(JsonNode.DeepEquals(wanted["data"], MergePatch.Apply(patch, before)["data"]));
        Assert.Equal("assistant-api-api0000001-flags", wanted["metadata"]!["name"]!.GetValue<string>());
    }
}
