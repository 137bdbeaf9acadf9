using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Workloads;

/// <summary>ControllerRevisions: the preimages of releases and the accepted policies. Their data is immutable, their marks are annotations.</summary>
/// <remarks>The API server compares data byte by byte, and whoever changes a ControllerRevision by a strategic merge patch (the garbage collector,
/// when an owner is deleted with its children left behind; kubectl label) has it written anew in Go's own form: keys sorted, characters escaped in
/// Go's way. Data in any other form is refused as changed, and the owner's deletion never ends. So what users wrote goes in as base64url of its JSON,
/// and all else has sorted keys and plain characters.</remarks>
public static class RevisionRecords
{
    private const string PreimageMember = "preimage";
    private const int MaxMarkLength = 1024;

    // More than a spec's levels and what is around them.
    private static readonly JsonDocumentOptions s_depth = new() { MaxDepth = 2 * SpecLimits.Levels };

    /// <summary>The ControllerRevision of a release.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="record">The preimage.</param>
    public static JsonObject OfRelease(ChildOwner owner, ReleaseRecord record) => Body(
        owner,
        ChildNames.Release(owner.Name, record.Hash),
        ApiConstants.ReleaseRecord,
        new JsonObject
        {
            // For people; only the preimage is read back.
            ["components"] = string.Join(", ", record.Components.Select(static c => $"{c.Name} {c.Revision ?? "external"}")),
            ["hash"] = record.Hash,
            ["number"] = record.Number,
            [PreimageMember] = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(record, EngineJsonContext.Default.ReleaseRecord)),
        },
        record.Number);

    /// <summary>The ControllerRevision of an accepted policy.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="name">Its name.</param>
    /// <param name="spec">The accepted spec, raw.</param>
    /// <param name="generation">The generation that it was accepted at, for people.</param>
    public static JsonObject OfPolicy(ChildOwner owner, string name, JsonElement spec, long generation) =>
        Body(
            owner,
            name,
            ApiConstants.PolicyRecord,
            new JsonObject { [PreimageMember] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(spec.GetRawText())) },
            generation);

    /// <summary>Whether it keeps a release.</summary>
    /// <param name="revision">A ControllerRevision with our name label.</param>
    public static bool IsRelease(V1ControllerRevision revision) => Is(revision, ApiConstants.ReleaseRecord);

    /// <summary>Whether it keeps a policy.</summary>
    /// <param name="revision">A ControllerRevision with our name label.</param>
    public static bool IsPolicy(V1ControllerRevision revision) => Is(revision, ApiConstants.PolicyRecord);

    /// <summary>The preimage, or null where the data cannot be read as one.</summary>
    /// <param name="revision">The ControllerRevision of a release.</param>
    public static ReleaseRecord? ReadRelease(V1ControllerRevision revision)
    {
        try
        {
            return Preimage(revision)?.Deserialize(EngineJsonContext.Default.ReleaseRecord) is { Hash.Length: > 0, Entry.Length: > 0 } record ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The raw spec that a policy keeps, or null.</summary>
    /// <param name="revision">The ControllerRevision of a policy.</param>
    public static JsonElement? ReadPolicy(V1ControllerRevision revision) => Preimage(revision);

    /// <summary>Why the release failed, or null.</summary>
    /// <param name="revision">The ControllerRevision of a release.</param>
    public static string? FailedMark(V1ControllerRevision revision) => revision.GetAnnotation(ApiConstants.FailedAnnotation);

    /// <summary>The flags struck from the release.</summary>
    /// <param name="revision">The ControllerRevision of a release.</param>
    public static IReadOnlyList<string> StruckMark(V1ControllerRevision revision) =>
        revision.GetAnnotation(ApiConstants.StruckAnnotation)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>A merge patch of both marks.</summary>
    /// <param name="mark">What they shall be.</param>
    public static JsonObject Marks(MarkRelease mark)
    {
        var failed = mark.Failed is { Length: > MaxMarkLength } text ? text[..MaxMarkLength] : mark.Failed;
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = mark.Target.Uid,
                ["resourceVersion"] = mark.Target.ResourceVersion,
                ["annotations"] = new JsonObject
                {
                    [ApiConstants.FailedAnnotation] = failed,
                    [ApiConstants.StruckAnnotation] = mark.Struck.Count > 0 ? string.Join(',', mark.Struck) : null,
                },
            },
        };
    }

    /// <summary>What is kept, or null where somebody broke it.</summary>
    private static JsonElement? Preimage(V1ControllerRevision revision)
    {
        if (revision.Data.ValueKind != JsonValueKind.Object || revision.Data.Member(PreimageMember) is not { ValueKind: JsonValueKind.String } text) return null;
        try
        {
            return JsonElement.Parse(Base64Url.DecodeFromChars(text.GetString()), s_depth);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private static bool Is(V1ControllerRevision revision, string record) =>
        string.Equals(revision.GetLabel(ApiConstants.RecordLabel), record, StringComparison.Ordinal);

    private static JsonObject Body(ChildOwner owner, string name, string record, JsonNode? data, long number) => new()
    {
        ["apiVersion"] = "apps/v1",
        ["kind"] = "ControllerRevision",
        ["metadata"] = owner.Metadata(name, [.. owner.NameLabels(), new(ApiConstants.RecordLabel, record)]),
        ["data"] = data,
        ["revision"] = number,
    };
}
