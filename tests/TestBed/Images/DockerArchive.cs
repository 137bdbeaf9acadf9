using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RagOperator.TestBed.Images;

/// <summary>An image made of a folder: no builder, only tar. Several tags share the folder's layer, each with a small layer and environment of its own.</summary>
internal sealed class DockerArchive(string rootFolder, string entryPoint)
{
    private readonly List<ImageTag> _tags = [];

    /// <param name="Name">Name with tag.</param>
    /// <param name="Environment">What the image's processes find in their environment.</param>
    /// <param name="Files">Path to content, of the tag's own layer.</param>
    internal sealed record ImageTag(string Name, IReadOnlyDictionary<string, string> Environment, IReadOnlyDictionary<string, string> Files);

    public DockerArchive Tag(string name, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyDictionary<string, string>? files = null)
    {
        _tags.Add(new(name, environment ?? new Dictionary<string, string>(StringComparer.Ordinal), files ?? new Dictionary<string, string>(StringComparer.Ordinal)));
        return this;
    }

    public async Task WriteAsync(string file)
    {
        var baseLayer = Path.GetTempFileName();
        var target = file + ".part";
        try
        {
            await using (var stream = File.Create(baseLayer))
            await using (var tar = new TarWriter(stream, TarEntryFormat.Pax))
                WriteFolder(tar, rootFolder);
            await using (var output = File.Create(target))
            await using (var archive = new TarWriter(output, TarEntryFormat.Pax))
            {
                var manifest = new JsonArray();
                string baseDigest;
                await using (var stream = File.OpenRead(baseLayer))
                {
                    baseDigest = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream));
                    stream.Position = 0;
                    await archive.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, baseDigest + ".tar") { DataStream = stream });
                }

                var written = new HashSet<string>(StringComparer.Ordinal) { baseDigest };
                foreach (var tag in _tags)
                    manifest.Add((JsonNode)WriteTag(archive, tag, baseDigest, written));
                Add(archive, "manifest.json", Encoding.UTF8.GetBytes(manifest.ToJsonString()));
            }

            File.Move(target, file, overwrite: true);
        }
        finally
        {
            File.Delete(baseLayer);
            File.Delete(target);
        }
    }

    private JsonObject WriteTag(TarWriter archive, ImageTag tag, string baseDigest, HashSet<string> written)
    {
        List<string> layers = [baseDigest];
        if (tag.Files.Count > 0)
        {
            using var memory = new MemoryStream();
            using (var tar = new TarWriter(memory, TarEntryFormat.Pax, leaveOpen: true))
                foreach (var (path, content) in tag.Files)
                    Add(tar, path.TrimStart('/'), Encoding.UTF8.GetBytes(content));
            var bytes = memory.ToArray();
            var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
            layers.Add(digest);
            if (written.Add(digest))
                Add(archive, digest + ".tar", bytes);
        }

        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["Entrypoint"] = new JsonArray(entryPoint),
                ["Env"] = new JsonArray([.. tag.Environment.Select(pair => (JsonNode)$"{pair.Key}={pair.Value}")]),
                ["User"] = "1654",
                ["WorkingDir"] = "/",
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)$"sha256:{layer}")]) },
        };
        var content2 = Encoding.UTF8.GetBytes(config.ToJsonString());
        var configName = Convert.ToHexStringLower(SHA256.HashData(content2)) + ".json";
        if (written.Add(configName))
            Add(archive, configName, content2);
        return new JsonObject
        {
            ["Config"] = configName,
            ["RepoTags"] = new JsonArray(tag.Name),
            ["Layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)$"{layer}.tar")]),
        };
    }

    private static void WriteFolder(TarWriter tar, string root)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(root, path);
            var mode = File.GetUnixFileMode(path) | UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            if (File.ResolveLinkTarget(path, returnFinalTarget: false) is not null)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = new FileInfo(path).LinkTarget! });
            else if (Directory.Exists(path))
                tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name + "/") { Mode = mode, ModificationTime = DateTimeOffset.UnixEpoch });
            else
                using (var stream = File.OpenRead(path))
                    tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = mode, ModificationTime = DateTimeOffset.UnixEpoch, DataStream = stream });
        }
    }

    private static void Add(TarWriter tar, string name, byte[] content)
    {
        using var stream = new MemoryStream(content);
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            ModificationTime = DateTimeOffset.UnixEpoch,
            DataStream = stream,
        });
    }
}
