using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagOperator.Generator;

/// <summary>A software bill of materials in CycloneDX 1.6's JSON form (cyclonedx.org/docs/1.6/json), from what a publish says of itself (<c>*.deps.json</c>).</summary>
internal static class Sbom
{
    private const string RuntimePack = "runtimepack.";
    // The one in the file LICENSE.
    private const string OwnLicense = "Apache-2.0";
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>The document.</summary>
    /// <param name="deps">The content of a <c>deps.json</c>.</param>
    /// <param name="licenseOf">The license of a package of a name and a version, as an SPDX expression, where it says one.</param>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static string Text(string deps, Func<string, string, string?> licenseOf)
    {
        var root = JsonNode.Parse(deps);
        if (root?["runtimeTarget"]?["name"]?.GetValue<string>() is not { } target || root["libraries"] is not JsonObject libraries || root["targets"]?[target] is not JsonObject graph)
            throw new InvalidDataException("not the deps.json of a publish: runtimeTarget, targets and libraries are expected");
        // The program itself is the library that no other depends on.
        var needed = graph.SelectMany(static l => Dependencies(l.Value)).ToHashSet(StringComparer.Ordinal);
        var program = graph.Select(static l => l.Key).First(k => TypeOf(libraries, k) == "project" && !needed.Contains(k));
        var document = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["version"] = 1,
            ["metadata"] = new JsonObject { ["component"] = Component(program, "application", null, OwnLicense) },
            ["components"] = new JsonArray([.. libraries.Select(static l => l.Key).Where(k => k != program).Order(StringComparer.Ordinal)
                .Select(k => (JsonNode)Component(k, TypeOf(libraries, k) == "runtimepack" ? "framework" : "library", HashOf(libraries, k), TypeOf(libraries, k) == "project" ? OwnLicense : LicenseOf(k, licenseOf)))]),
            ["dependencies"] = new JsonArray([.. graph.OrderBy(static l => l.Key, StringComparer.Ordinal)
                .Select(l => (JsonNode)new JsonObject { ["ref"] = Ref(l.Key), ["dependsOn"] = new JsonArray([.. Dependencies(l.Value).Where(libraries.ContainsKey).Order(StringComparer.Ordinal).Select(static d => (JsonNode)Ref(d))]) })]),
        };
        return document.ToJsonString(s_indented) + "\n";
    }

    private static JsonObject Component(string key, string type, string? sha512, string? license)
    {
        var (name, version) = Split(key);
        var component = new JsonObject { ["type"] = type, ["bom-ref"] = Ref(key), ["name"] = name, ["version"] = version, ["purl"] = Ref(key) };
        if (sha512 is not null)
            component["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = sha512 });
        if (license is not null)
            component["licenses"] = new JsonArray(new JsonObject { ["expression"] = license });
        return component;
    }

    private static string? LicenseOf(string key, Func<string, string, string?> licenseOf)
    {
        var (name, version) = Split(key);
        return licenseOf(name, version);
    }

    private static IEnumerable<string> Dependencies(JsonNode? library) => library?["dependencies"] is JsonObject dependencies ? dependencies.Select(static d => $"{d.Key}/{d.Value}") : [];

    private static string TypeOf(JsonObject libraries, string key) => libraries[key]?["type"]?.GetValue<string>() ?? "";

    /// <summary>In hexadecimal digits, as CycloneDX wants it; a publish has it in base 64.</summary>
    private static string? HashOf(JsonObject libraries, string key) =>
        libraries[key]?["sha512"]?.GetValue<string>() is { Length: > 0 } hash ? Convert.ToHexStringLower(Convert.FromBase64String(hash["sha512-".Length..])) : null;

    private static (string Name, string Version) Split(string key) => key.StartsWith(RuntimePack, StringComparison.Ordinal) ? Split(key[RuntimePack.Length..]) : (key[..key.IndexOf('/', StringComparison.Ordinal)], key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    /// <summary>A package URL (github.com/package-url/purl-spec).</summary>
    private static string Ref(string key)
    {
        var (name, version) = Split(key);
        return $"pkg:nuget/{name}@{version}";
    }
}
