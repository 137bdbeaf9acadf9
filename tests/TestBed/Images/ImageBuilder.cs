using System.Diagnostics;
using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed.Images;

/// <summary>Publishes the project's programs self-contained and packs each with the C libraries it needs into a docker-archive.</summary>
internal static class ImageBuilder
{
    /// <summary>Every tag of the sample service: one file system, told apart by the tag alone (samples/rag-service/ImageTag.cs).</summary>
    private static readonly string[] s_sampleTags =
    [
        "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "2.0",
        "1.2-err1", "1.2-err5", "1.3-err5", "1.2-err50", "1.2-err100", "1.2-slow", "1.2-slow4000", "1.3-slow", "1.2-slow250", "1.2-crash", "1.2-unready",
    ];

    public static async Task<int> BuildAsync(string repository, bool withOperator)
    {
        var target = Directory.CreateDirectory(Path.Combine(repository, "artifacts/images")).FullName;
        var common = Path.Combine(repository, "tests/TestBed/Images");
        await OnceAsync(repository, Path.Combine(target, "rag-sample.tar"), [Path.Combine(repository, "samples/rag-service"), Path.Combine(repository, "samples/corpus"), common], async (file, root) =>
        {
            var archive = await PublishAsync(repository, "samples/rag-service", "RagOperator.SampleService", root);
            foreach (var tag in s_sampleTags)
                archive.Tag($"rag-sample:{tag}", new Dictionary<string, string>(StringComparer.Ordinal) { ["RAG_SAMPLE_TAG"] = tag });
            await archive.WriteAsync(file);
        });
        if (withOperator)
            await OnceAsync(repository, Path.Combine(target, "rag-operator.tar"), [Path.Combine(repository, "src"), common], async (file, root) =>
            {
                var archive = await PublishAsync(repository, "src/RagOperator.Operator", "RagOperator.Operator", root);
                await ListAsync(repository, Path.Combine(root, "app"), "RagOperator.Operator");
                // Fault tests start it hundreds of times: what ships starts in a fraction of the time, and is what should be tested.
                Keep(Path.Combine(root, "app"), Path.Combine(repository, "artifacts/publish/rag-operator"));
                await archive.Tag("rag-operator:dev").WriteAsync(file);
            });
        return 0;
    }

    /// <summary>The bill of materials goes with what it is about.</summary>
    private static async Task ListAsync(string repository, string app, string program)
    {
        var listed = await Shell.RunAsync(Path.Combine(repository, "artifacts/bin/RagOperator.Generator/debug/RagOperator.Generator"), ["sbom", Path.Combine(app, $"{program}.deps.json"), Path.Combine(app, "sbom.cdx.json")]);
        if (!listed.Ok)
            throw new InvalidOperationException($"the bill of materials failed:\n{listed.Out}\n{listed.Error}");
    }

    private static void Keep(string app, string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(app))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private static async Task OnceAsync(string repository, string file, string[] sources, Func<string, string, Task> build)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        // How everything is compiled counts as a source of it.
        var newest = sources.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(repository, "Directory.*.props"))
            .Max(File.GetLastWriteTimeUtc);
        if (File.Exists(file) && File.GetLastWriteTimeUtc(file) > newest)
        {
            Console.WriteLine($"images: {name} is up to date");
            return;
        }

        var start = Stopwatch.GetTimestamp();
        var root = Directory.CreateTempSubdirectory("rag-image-");
        try
        {
            await build(file, root.FullName);
        }
        finally
        {
            root.Delete(recursive: true);
        }

        Console.WriteLine($"images: {name} built in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s, {new FileInfo(file).Length >> 20} MB");
    }

    private static async Task<DockerArchive> PublishAsync(string repository, string project, string program, string root)
    {
        var app = Path.Combine(root, "app");
        // A lock file of its own: the runtime identifier of a publish has no place in the project's. Artifacts of its own as well: those
        // of the build that tests run from must not change under it.
        var lockFile = Path.Combine(root, "packages.lock.json");
        var published = await Shell.RunAsync("dotnet",
        [
            "publish", Path.Combine(repository, project), "-c", "Release", "-r", "linux-x64", "--self-contained", "-o", app, "--nologo", "-v", "quiet",
            $"-p:NuGetLockFilePath={lockFile}", "-p:RestoreLockedMode=false", "-p:DebugType=none", $"--artifacts-path={Path.Combine(repository, "artifacts/image-build")}",
        ]);
        if (!published.Ok)
            throw new InvalidOperationException($"dotnet publish {project} failed:\n{published.Out}\n{published.Error}");
        File.Delete(lockFile);
        foreach (var folder in (string[])["tmp", "etc", "lib64", "proc", "sys", "dev"])
            Directory.CreateDirectory(Path.Combine(root, folder));
        File.SetUnixFileMode(Path.Combine(root, "tmp"), (UnixFileMode)0b1_111_111_111);
        await File.WriteAllTextAsync(Path.Combine(root, "etc/passwd"), "root:x:0:0::/:/none\napp:x:1654:1654::/tmp:/none\n");
        foreach (var library in await LibrariesAsync(Path.Combine(app, program), [.. Directory.EnumerateFiles(app, "*.so")]))
        {
            var copy = root + library;
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(library, copy, overwrite: true);
        }

        return new DockerArchive(root, $"/app/{program}");
    }

    /// <summary>What the dynamic linker would load, and OpenSSL, which .NET loads by name when it first needs it.</summary>
    private static async Task<IReadOnlyCollection<string>> LibrariesAsync(string program, string[] more)
    {
        var openssl = ((string[])["libssl.so.3", "libcrypto.so.3"]).Select(name => $"/usr/lib/x86_64-linux-gnu/{name}").Where(File.Exists).ToList();
        var result = await Shell.RunAsync("ldd", [program, .. more, .. openssl]);
        var found = new SortedSet<string>(openssl, StringComparer.Ordinal);
        foreach (var line in result.Out.Split('\n'))
            if (line.Trim().Split(' ') is { Length: > 1 } words && Array.Find(words, word => word.StartsWith("/lib", StringComparison.Ordinal) || word.StartsWith("/usr/lib", StringComparison.Ordinal)) is { } path)
                found.Add(path);
        return found;
    }
}
