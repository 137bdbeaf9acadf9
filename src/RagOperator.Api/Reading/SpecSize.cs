using System.Runtime.InteropServices;
using System.Text.Json;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Reading;

/// <summary>How large a spec may be, and what stands for one that is not kept: many of a megabyte would take the memory of everybody's rollouts.</summary>
public static class SpecSize
{
    // No field may have that name, so no user's spec has it.
    private const string LeftOut = ApiConstants.Group + "/left-out";

    // As many flags as there may be, with their names.
    private const int MostFlagBytes = 16 << 10;

    /// <summary>What is wrong with a spec that is too large or not kept; null where nothing is.</summary>
    /// <param name="spec">A spec, raw.</param>
    public static SpecProblem? Check(JsonElement spec) =>
        Of(spec) > SpecLimits.Bytes ? TooLarge(Of(spec))
        : spec.ValueKind == JsonValueKind.Object && spec.TryGetProperty(LeftOut, out var why) ? new SpecProblem("spec", "", ShownValue.Of(why))
        : null;

    /// <summary>Bytes of a spec as JSON.</summary>
    /// <param name="spec">A spec, raw.</param>
    public static int Of(JsonElement spec) => spec.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(spec).Length;

    /// <summary>Leaves a spec out that is too large, but for its flags: a kill switch is obeyed all the same.</summary>
    /// <param name="obj">The object.</param>
    public static void Trim(RagDeployment obj)
    {
        if (Of(obj.Spec) > SpecLimits.Bytes) Leave(obj, TooLarge(Of(obj.Spec)).Rule);
    }

    /// <summary>Leaves a spec out for another reason.</summary>
    /// <param name="obj">The object.</param>
    /// <param name="rule">What is allowed.</param>
    public static void Leave(RagDeployment obj, string rule)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString(LeftOut, rule);
            writer.WriteStartObject("featureFlags");
            writer.WriteStartArray("flags");
            foreach (var name in DisabledFlags(obj.Spec))
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                writer.WriteBoolean("enabled", false);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        obj.Spec = JsonElement.Parse(buffer.WrittenSpan);
    }

    private static IReadOnlyList<string> DisabledFlags(JsonElement spec)
    {
        var names = TypedSpec.DisabledFlags(spec);
        return names.Sum(static n => n.Length) <= MostFlagBytes ? names : [];
    }

    private static SpecProblem TooLarge(int bytes) => new("spec", "", $"must be at most {SpecLimits.Bytes} bytes as JSON, and has {bytes}");
}
