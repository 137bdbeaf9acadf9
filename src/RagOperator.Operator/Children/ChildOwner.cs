using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Operator.Children;

/// <summary>The RagDeployment that children belong to.</summary>
/// <param name="Key">Its namespace and name.</param>
/// <param name="Uid">Its uid.</param>
public sealed record ChildOwner(NamespacedName Key, string Uid)
{
    /// <summary>Its name.</summary>
    public string Name => Key.Name;

    /// <summary>Its namespace, and that of all children.</summary>
    public string Namespace => Key.Namespace;

    /// <summary>The key of a child.</summary>
    /// <param name="name">The child's name.</param>
    public NamespacedName Child(string name) => new(Key.Namespace, name);

    /// <summary>Metadata of a new child. The labels and annotations of GitOps tools are not copied to it, or they would prune it.</summary>
    /// <param name="name">The child's name.</param>
    /// <param name="labels">Its labels, the name label included.</param>
    /// <param name="annotations">Its annotations, if any.</param>
    public JsonObject Metadata(string name, IEnumerable<KeyValuePair<string, string>> labels, IEnumerable<KeyValuePair<string, string>>? annotations = null)
    {
        var metadata = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = Namespace,
            ["labels"] = Texts(labels),
        };
        if (annotations is not null && Texts(annotations) is { Count: > 0 } notes) metadata["annotations"] = notes;
        metadata["ownerReferences"] = new JsonArray(Reference());
        return metadata;
    }

    /// <summary>The owner reference that makes this object the controller.</summary>
    public JsonObject Reference() => new()
    {
        ["apiVersion"] = ApiConstants.ApiVersion,
        ["kind"] = ApiConstants.Kind,
        ["name"] = Name,
        ["uid"] = Uid,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    /// <summary>Labels of a component revision's children and pods: a contract that others select by.</summary>
    /// <param name="component">The component's name.</param>
    /// <param name="revision">The component revision's name.</param>
    public IReadOnlyList<KeyValuePair<string, string>> Labels(string component, string revision) =>
        [.. NameLabels(), new(ApiConstants.ComponentLabel, component), new(ApiConstants.RevisionLabel, revision)];

    /// <summary>The label that every child carries.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> NameLabels() => [new(ApiConstants.NameLabel, Name)];

    /// <summary>Whose an object is.</summary>
    /// <param name="child">An object of one of the children's kinds.</param>
    public Ownership OwnershipOf(IKubernetesObject<V1ObjectMeta> child)
    {
        var controller = child.GetController();
        if (controller is null)
        {
            return child.Metadata.OwnerReferences is not { Count: > 0 } && IsNamedAsOurs(child) ? Ownership.Orphan : Ownership.Foreign;
        }

        if (string.Equals(controller.Uid, Uid, StringComparison.Ordinal)) return Ownership.Ours;
        var sameName = string.Equals(controller.Kind, ApiConstants.Kind, StringComparison.Ordinal)
            && controller.ApiVersion.StartsWith(ApiConstants.Group + "/", StringComparison.Ordinal)
            && string.Equals(controller.Name, Name, StringComparison.Ordinal);
        return sameName ? Ownership.EarlierUid : Ownership.Foreign;
    }

    /// <summary>Whether labels and name together are what this operator gives. A label alone proves nothing: users put it on what is theirs, and
    /// what is adopted is deleted some day.</summary>
    private bool IsNamedAsOurs(IKubernetesObject<V1ObjectMeta> child)
    {
        if (!string.Equals(child.GetLabel(ApiConstants.NameLabel), Name, StringComparison.Ordinal)) return false;
        var component = child.GetLabel(ApiConstants.ComponentLabel);
        var revision = child.GetLabel(ApiConstants.RevisionLabel);
        var name = child.Name();
        return child switch
        {
            V1ControllerRevision => child.GetLabel(ApiConstants.RecordLabel) is not null && name.StartsWith(Name + "-", StringComparison.Ordinal),
            V1HTTPRoute => string.Equals(name, ChildNames.Route(Name), StringComparison.Ordinal),
            _ when component is not null && revision is not null =>
                string.Equals(name, ChildNames.Revision(Name, component, revision), StringComparison.Ordinal)
                || string.Equals(name, ChildNames.Flags(Name, component, revision), StringComparison.Ordinal),
            V1Service => string.Equals(name, ChildNames.Stable(Name, component), StringComparison.Ordinal),
            _ => false,
        };
    }

    /// <summary>Text members as JSON, in the order given.</summary>
    /// <param name="pairs">Names and values.</param>
    public static JsonObject Texts(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var texts = new JsonObject();
        foreach (var (name, value) in pairs) texts[name] = value;
        return texts;
    }
}
