using System.Xml.Linq;

namespace RagOperator.Generator;

/// <summary>What packages say of their licenses, in the folder that NuGet unpacked them to.</summary>
/// <param name="folder">The folder.</param>
internal sealed class PackageLicenses(string folder)
{
    /// <summary>The user's own folder of packages.</summary>
    public static PackageLicenses OfUser() => new(Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named
        ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"));

    /// <summary>The SPDX expression of a package. Null where it is not there, or names only a file or an address.</summary>
    /// <param name="name">The package's name.</param>
    /// <param name="version">Its version.</param>
    public string? Find(string name, string version)
    {
        var id = name.ToLowerInvariant();
        var file = Path.Combine(folder, id, version.ToLowerInvariant(), $"{id}.nuspec");
        return File.Exists(file)
            ? XDocument.Load(file).Descendants().FirstOrDefault(static e => e.Name.LocalName == "license" && e.Attribute("type")?.Value == "expression")?.Value.Trim()
            : null;
    }
}
