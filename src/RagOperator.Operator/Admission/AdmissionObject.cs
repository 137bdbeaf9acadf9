using System.Runtime.InteropServices;
using System.Text.Json;
using RagOperator.Api;
using RagOperator.Api.Reading;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Admission;

/// <summary>Reads as much of an object under review as is needed. It may be wrong everywhere: the server's schema is asked later, or was laxer before.</summary>
internal static class AdmissionObject
{
    /// <summary>The object with its spec as it came, for the validators.</summary>
    public static RagDeployment Of(AdmissionRequest request, JsonElement element)
    {
        var metadata = element.Member("metadata") ?? default;
        return new RagDeployment
        {
            Metadata = new()
            {
                // A creation with generateName has no name yet: what is generated has the form of a name, and its length.
                Name = metadata.Text("name") ?? request.Name switch { { Length: > 0 } name => name, _ => metadata.Text("generateName") + "xxxxx" },
                NamespaceProperty = metadata.Text("namespace") ?? request.Namespace,
            },
            Spec = Spec(element),
        };
    }

    /// <summary>The spec as it came; undefined where there is none.</summary>
    public static JsonElement Spec(JsonElement element) => element.Member("spec") ?? default;

    /// <summary>The status; null where there is none that can be read.</summary>
    public static RagDeploymentStatus? Status(JsonElement element)
    {
        try
        {
            return element.Member("status")?.Deserialize(ApiJsonContext.Default.RagDeploymentStatus);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether the object is there.</summary>
    public static bool Exists(JsonElement element) => element.ValueKind == JsonValueKind.Object;

    /// <summary>Whether deletion was asked for.</summary>
    public static bool IsDeleting(JsonElement element) => element.Member("metadata")?.Member("deletionTimestamp") is not null;

    /// <summary>An annotation's value, or null.</summary>
    public static string? Annotation(JsonElement element, string key) => element.Member("metadata")?.Member("annotations")?.Text(key);

    /// <summary>The object's uid; empty before it is made.</summary>
    public static string Uid(JsonElement element) => element.Member("metadata")?.Text("uid") ?? "";

    /// <summary>Whether two objects have the same spec.</summary>
    public static bool SameSpec(JsonElement one, JsonElement other)
    {
        var (a, b) = (Spec(one), Spec(other));
        if (a.ValueKind == JsonValueKind.Undefined || b.ValueKind == JsonValueKind.Undefined) return a.ValueKind == b.ValueKind;
        // The server writes both in the same form. What is too deep to be compared value by value may still be labelled.
        return JsonMarshal.GetRawUtf8Value(a).SequenceEqual(JsonMarshal.GetRawUtf8Value(b))
            || (SpecDepth.Check(a) is null && SpecDepth.Check(b) is null && JsonElement.DeepEquals(a, b));
    }
}
