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
        var bom = JsonElement.Parse(Sbom.Text(Deps, NoLicense));
        Assert.Equal("CycloneDX", bom.GetProperty("bomFormat").GetString());
        Assert.Equal("pkg:nuget/Program@1.0.0", bom.GetProperty("metadata").GetProperty("component").GetProperty("purl").GetString());
        Assert.Equal(["library pkg:nuget/Lib@2.0.0", "framework pkg:nuget/Runtime.linux-x64@10.0.1"],
            bom.GetProperty("components").EnumerateArray().Select(c => $"{c.GetProperty("type")} {c.GetProperty("purl")}"));
        Assert.Equal("010203", bom.GetProperty("components")[0].GetProperty("hashes")[0].GetProperty("content").GetString());
    }

    [Fact]
    public void Licenses_are_what_packages_say_and_for_what_is_our_own_that_of_LICENSE()
    {
        var folder = Directory.CreateTempSubdirectory("packages-");
        try
        {
            Pack("lib", "2.0.0", "<license type=\"expression\">MIT OR Apache-2.0</license>");
            Pack("runtime.linux-x64", "10.0.1", "<license type=\"file\">LICENSE.txt</license>");
            var bom = JsonElement.Parse(Sbom.Text(Deps, new PackageLicenses(folder.FullName).Find));

            Assert.Equal("MIT OR Apache-2.0", bom.GetProperty("components")[0].GetProperty("licenses")[0].GetProperty("expression").GetString());
            Assert.False(bom.GetProperty("components")[1].TryGetProperty("licenses", out _));
            Assert.Equal("Apache-2.0", bom.GetProperty("metadata").GetProperty("component").GetProperty("licenses")[0].GetProperty("expression").GetString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Pack(string id, string version, string license) =>
            File.WriteAllText(Path.Combine(folder.CreateSubdirectory(Path.Combine(id, version)).FullName, $"{id}.nuspec"), $"<package xmlns=\"urn:n\"><metadata>{license}</metadata></package>");
    }

    [Fact]
    public void Dependencies_name_only_what_is_there()
    {
        var program = JsonElement.Parse(Sbom.Text(Deps, NoLicense)).GetProperty("dependencies").EnumerateArray().Single(d => d.GetProperty("ref").GetString() == "pkg:nuget/Program@1.0.0");
        Assert.Equal(["pkg:nuget/Lib@2.0.0", "pkg:nuget/Runtime.linux-x64@10.0.1"], program.GetProperty("dependsOn").EnumerateArray().Select(d => d.GetString()));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"runtimeTarget": {"name": "x"}, "targets": {}, "libraries": {} }""")]
    public void Anything_else_is_refused(string deps) => Assert.Contains("deps.json", Assert.Throws<InvalidDataException>(() => Sbom.Text(deps, NoLicense)).Message, StringComparison.Ordinal);

    private static string? NoLicense(string name, string version) => null;
}
