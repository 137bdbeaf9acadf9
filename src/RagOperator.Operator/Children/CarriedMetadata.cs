using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;

namespace RagOperator.Operator.Children;

/// <summary>What spec wants on a child beside what makes it: labels, annotations, and a Deployment's minReadySeconds. It is no content: what exists is patched.</summary>
/// <remarks>An annotation on the child says what was brought. What spec no longer has is taken away where it stands there, and left alone where it does not: somebody
/// else wrote it. Writes that lower never carry any of it, so that no policy about labels can keep a release from being taken back.</remarks>
internal sealed class CarriedMetadata
{
    private const string MinReadySeconds = "minReadySeconds";
    private readonly ResolvedMetadata _metadata;
    private readonly int? _minReadySeconds;

    private CarriedMetadata(ResolvedMetadata metadata, int? minReadySeconds) => (_metadata, _minReadySeconds) = (metadata, minReadySeconds);

    /// <summary>What a child gets by a spec; null where that says nothing of it: then the child stays as it is.</summary>
    /// <param name="spec">The accepted spec, or null.</param>
    /// <param name="kind">The child's kind.</param>
    /// <param name="component">The component that it is made of; null for the HTTPRoute and the Service that is called like the object.</param>
    public static CarriedMetadata? Of(ResolvedSpec? spec, ChildKind kind, string? component) =>
        spec is null || kind == ChildKind.ControllerRevision ? null
        : component is null ? new(spec.Metadata, null)
        : spec.Component(component) is { IsWorkload: true } named ? new(named.Metadata, kind == ChildKind.Deployment ? named.MinReadySeconds : null)
        : null;

    /// <summary>The same, for a child as it is: it tells by its labels what it is made of.</summary>
    /// <param name="spec">The accepted spec, or null.</param>
    /// <param name="kind">The child's kind.</param>
    /// <param name="child">The child.</param>
    public static CarriedMetadata? Of(ResolvedSpec? spec, ChildKind kind, IKubernetesObject<V1ObjectMeta> child)
    {
        var component = child.GetLabel(ApiConstants.ComponentLabel);
        return component is null && kind is not (ChildKind.HttpRoute or ChildKind.Service) ? null : Of(spec, kind, component);
    }

    /// <summary>Adds it to the body of a new child.</summary>
    /// <param name="body">The body.</param>
    public void AddTo(JsonObject body)
    {
        var metadata = (JsonObject)body["metadata"]!;
        Add(metadata, "labels", _metadata.Labels);
        Add(metadata, "annotations", Marked(_metadata.Annotations));
        if (_minReadySeconds is { } seconds) body["spec"]![MinReadySeconds] = seconds;
    }

    /// <summary>A merge patch that makes a child carry this and nothing that was carried before; null where it does.</summary>
    /// <param name="child">The child as it is.</param>
    public JsonObject? Patch(IKubernetesObject<V1ObjectMeta> child)
    {
        var before = (child.GetAnnotation(ApiConstants.CarriedAnnotation) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var labels = Changes(child.Metadata.Labels, _metadata.Labels, before, "label:");
        var annotations = Changes(child.Metadata.Annotations, Marked(_metadata.Annotations), before, "annotation:");
        if (Mark.Length == 0 && before.Length > 0) annotations[ApiConstants.CarriedAnnotation] = null;
        var seconds = _minReadySeconds ?? (before.Contains(MinReadySeconds, StringComparer.Ordinal) ? 0 : null);
        var readyIn = child is V1Deployment deployment && seconds is not null && (deployment.Spec?.MinReadySeconds ?? 0) != seconds ? seconds : null;
        if (labels.Count == 0 && annotations.Count == 0 && readyIn is null) return null;
        var metadata = new JsonObject { ["uid"] = child.Uid(), ["resourceVersion"] = child.ResourceVersion() };
        if (labels.Count > 0) metadata["labels"] = labels;
        if (annotations.Count > 0) metadata["annotations"] = annotations;
        var patch = new JsonObject { ["metadata"] = metadata };
        if (readyIn is { } ready) patch["spec"] = new JsonObject { [MinReadySeconds] = ready };
        return patch;
    }

    /// <summary>What it says, to tell it from others.</summary>
    public override string ToString() =>
        string.Join('\n', _metadata.Labels.Concat(_metadata.Annotations).Select(static t => $"{t.Key}={t.Value}").Append(Mark).Append($"{_minReadySeconds}"));

    private string Mark => string.Join(' ', _metadata.Labels.Select(static l => $"label:{l.Key}").Concat(_metadata.Annotations.Select(static a => $"annotation:{a.Key}"))
        .Concat(_minReadySeconds is null ? [] : [MinReadySeconds]));

    private IEnumerable<KeyValuePair<string, string>> Marked(IEnumerable<KeyValuePair<string, string>> annotations) =>
        Mark.Length == 0 ? annotations : annotations.Append(new(ApiConstants.CarriedAnnotation, Mark));

    private static JsonObject Changes(Dictionary<string, string>? current, IEnumerable<KeyValuePair<string, string>> wanted, string[] before, string prefix)
    {
        var changes = new JsonObject();
        foreach (var token in before.Where(b => b.StartsWith(prefix, StringComparison.Ordinal)))
        {
            if (current?.ContainsKey(token[prefix.Length..]) == true) changes[token[prefix.Length..]] = null;
        }

        foreach (var (key, value) in wanted)
        {
            if (current is not null && current.TryGetValue(key, out var there) && string.Equals(there, value, StringComparison.Ordinal)) changes.Remove(key);
            else changes[key] = value;
        }

        return changes;
    }

    private static void Add(JsonObject metadata, string map, IEnumerable<KeyValuePair<string, string>> texts)
    {
        foreach (var (key, value) in texts)
        {
            if (metadata[map] is not JsonObject entries) metadata[map] = entries = [];
            entries[key] = value;
        }
    }
}
