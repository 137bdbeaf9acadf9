using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace RagOperator.TestBed.Tests;

/// <summary>What ships does what was written: trimming takes whole methods away, never a part of one that stays.</summary>
/// <remarks>A trimmer that thinks a <c>finally</c> unreachable empties it without a word: the lock in it is never given back, and the process hangs at some
/// later time. No test of behaviour can be relied on to come across that.</remarks>
public sealed class TrimmedCodeTests
{
    public static TheoryData<string> Assemblies => new() { "RagOperator.Operator", "RagOperator.Kubernetes", "RagOperator.Engine", "RagOperator.Api", "RagOperator.Abstractions" };

    [SkippableTheory]
    [MemberData(nameof(Assemblies))]
    public void Every_finally_of_the_operator_that_ships_holds_all_that_was_compiled(string assembly)
    {
        var artifacts = Path.Combine(ClusterBed.Repository, "artifacts");
        var shipped = Path.Combine(artifacts, "publish/rag-operator", $"{assembly}.dll");
        Skip.IfNot(File.Exists(shipped), "the image is not built: make images");
        var compiled = Directory.EnumerateFiles(Path.Combine(artifacts, "image-build/bin"), $"{assembly}.dll", SearchOption.AllDirectories)
            .First(file => file.Contains($"/{assembly}/", StringComparison.Ordinal));

        var before = Finallies(compiled);
        var after = Finallies(shipped);

        Assert.Contains(after, static method => method.Value.Length > 0);
        var emptied = after.Where(method => before[method.Key] != method.Value).Select(method => $"{method.Key}: finally of {before[method.Key]} bytes became '{method.Value}'").ToList();
        Assert.True(emptied.Count == 0, string.Join("\n", emptied));
    }

    /// <summary>For each method with a body, the lengths of its finally handlers in bytes of IL; none at all is "".</summary>
    private static Dictionary<string, string> Finallies(string file)
    {
        using var pe = new PEReader(File.OpenRead(file));
        var metadata = pe.GetMetadataReader();
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Where(static m => m.RelativeVirtualAddress != 0))
        {
            // Overloads are told apart by their parameters' names: signatures name types by numbers, which trimming gives anew.
            var parameters = method.GetParameters().Select(p => metadata.GetString(metadata.GetParameter(p).Name));
            var name = $"{TypeName(metadata, method.GetDeclaringType())}.{metadata.GetString(method.Name)}({string.Join(", ", parameters)})";
            var lengths = string.Join(" ", pe.GetMethodBody(method.RelativeVirtualAddress).ExceptionRegions.Where(static r => r.Kind == ExceptionRegionKind.Finally).Select(static r => r.HandlerLength));
            found[name] = found.TryGetValue(name, out var others) ? $"{others}|{lengths}" : lengths;
        }

        return found;
    }

    private static string TypeName(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        var own = metadata.GetString(type.Name);
        return type.GetDeclaringType() is { IsNil: false } outer ? $"{TypeName(metadata, outer)}+{own}" : $"{metadata.GetString(type.Namespace)}.{own}";
    }
}
