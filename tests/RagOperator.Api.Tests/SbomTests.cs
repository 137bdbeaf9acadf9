using System.Text.Json;
using RagOperator.Generator;

namespace RagOperator.Api.Tests;

/// <summary>What scanners read of the image.</summary>
public sealed class SbomTests
{
    private const string Deps = """
        {
          "runtimeTarget": {"name": ".NETCoreApp,Version=v10.0/linux-x64"},
          "targets": {
            ".NETCoreApp,Version=v10.0": {},
            ".NETCoreApp,Version=v10.0/linux-x64": {
              "Lib/2.0.0": {},
              "Program/1.0.0": {"dependencies": {"Lib": "2.0.0", "runtimepack.Runtime.linux-x64": "10.0.1", "Trimmed": "3.0.0"} },
              "runtimepack.Runtime.linux-x64/10.0.1": {}
            }
          },
          "libraries": {
            "Program/1.0.0": {"type": "project", "sha512": ""},
            "runtimepack.Runtime.linux-x64/10.0.1": {"type": "runtimepack", "sha512": ""},
            "Lib/2.0.0": {"type": "package", "sha512": "sha512-AQID"}
          }
        }
        """;

    [Fact]
    public void Program_is_what_it_is_about_and_all_else_is_a_component()
    {
        var bom = JsonElement.Parse(Sbom.Text(Deps));
        Assert.Equal("CycloneDX", bom.GetProperty("bomFormat").GetString());
        Assert.Equal("pkg:nuget/Program@1.0.0", bom.GetProperty("metadata").GetProperty("component").GetProperty("purl").GetString());
        Assert.Equal(["library pkg:nuget/Lib@2.0.0", "framework pkg:nuget/Runtime.linux-x64@10.0.1"],
            bom.GetProperty("components").EnumerateArray().Select(c => $"{c.GetProperty("type")} {c.GetProperty("purl")}"));
        Assert.Equal("010203", bom.GetProperty("components")[0].GetProperty("hashes")[0].GetProperty("content").GetString());
    }

    [Fact]
    public void Dependencies_name_only_what_is_there()
    {
        var program = JsonElement.Parse(Sbom.Text(Deps)).GetProperty("dependencies").EnumerateArray().Single(d => d.GetProperty("ref").GetString() == "pkg:nuget/Program@1.0.0");
        Assert.Equal(["pkg:nuget/Lib@2.0.0", "pkg:nuget/Runtime.linux-x64@10.0.1"], program.GetProperty("dependsOn").EnumerateArray().Select(d => d.GetString()));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"runtimeTarget": {"name": "x"}, "targets": {}, "libraries": {} }""")]
    public void Anything_else_is_refused(string deps) => Assert.Contains("deps.json", Assert.Throws<InvalidDataException>(() => Sbom.Text(deps)).Message, StringComparison.Ordinal);
}
