using System.Runtime.InteropServices;
using System.Text.Json;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Reading;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Controller;

/// <summary>How much of an object is kept, and how much of the objects of one namespace. A label is all that it takes to get an object into a cache: nobody's
/// objects, however many and large, may take the memory that the others' rollouts need.</summary>
internal static class KeptParts
{
    // Files of a hundred flags have a tenth of that.
    private const int MostFlagText = 128 << 10;
    private const int MostMetadataText = 16 << 10;

    // For each object itself.
    private const int Base = 1024;

    /// <summary>Bounds what a cache of RagDeployments keeps.</summary>
    public static void OfObjects(CacheOptions<RagDeployment> options)
    {
        options.Trim = static o =>
        {
            SpecSize.Trim(o);
            TrimMetadata(o);
        };
        options.Weigh = static o => Base + SpecSize.Of(o.Spec);
        options.Share = Share(16);
        var rule = $"is left out: the specs of a namespace may have {options.Share} bytes together, and with this one they have more";
        options.Lighten = o => SpecSize.Leave(o, rule);
    }

    /// <summary>Bounds what a cache of children keeps.</summary>
    public static void OfChildren<T>(CacheOptions<T> options)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        options.Trim = static o =>
        {
            TrimMetadata(o);
            if (o is V1ConfigMap { Data: { } data } map && Texts(data) > MostFlagText) map.Data = null;
        };
        options.Weigh = static o => Base + Texts(o.Metadata.Labels) + Texts(o.Metadata.Annotations) + o switch
        {
            V1ConfigMap map => Texts(map.Data),
            V1ControllerRevision revision => Bytes(revision.Data),
            _ => 0,
        };
        options.Share = typeof(T) == typeof(V1ControllerRevision) ? Share(6) : Share(32);
        options.Lighten = static o =>
        {
            o.Metadata.Labels = OwnOf(o.Metadata.Labels);
            o.Metadata.Annotations = OwnOf(o.Metadata.Annotations);
            if (o is V1ConfigMap map) map.Data = null;
            else if (o is V1ControllerRevision revision) revision.Data = default;
        };
    }

    /// <summary>A part of the memory that the process may use.</summary>
    private static long Share(int parts) => Math.Max(4 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / parts);

    private static void TrimMetadata(IKubernetesObject<V1ObjectMeta> o)
    {
        if (Texts(o.Metadata.Annotations) > MostMetadataText) o.Metadata.Annotations = OwnOf(o.Metadata.Annotations);
    }

    private static Dictionary<string, string>? OwnOf(Dictionary<string, string>? texts) =>
        texts?.Where(static t => t.Key.StartsWith(ApiConstants.Group + "/", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);

    // A character takes two bytes.
    private static long Texts(Dictionary<string, string>? texts) => texts?.Sum(static t => 2L * (t.Key.Length + (t.Value?.Length ?? 0))) ?? 0;

    private static int Bytes(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(element).Length;
}
