using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Children;

namespace RagOperator.Operator.FeatureFlags;

/// <summary>The ConfigMap that carries a component revision's flags.</summary>
public static class FlagsConfigMap
{
    /// <summary>Its body.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="component">The component's name.</param>
    /// <param name="revision">The component revision's name.</param>
    /// <param name="flags">Each flag and whether it is on.</param>
    public static JsonObject Body(ChildOwner owner, string component, string revision, IReadOnlyDictionary<string, bool> flags)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = owner.Metadata(ChildNames.Flags(owner.Name, component, revision), owner.Labels(component, revision)),
            ["data"] = ChildOwner.Texts(FlagFiles.Write(flags)),
        };
    }

    /// <summary>A merge patch that makes the ConfigMap say these flags and nothing else.</summary>
    /// <param name="current">The ConfigMap as it is.</param>
    /// <param name="wanted">Its body as created now.</param>
    public static JsonObject Patch(V1ConfigMap current, JsonObject wanted)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(wanted);
        var data = wanted["data"]!.DeepClone().AsObject();
        foreach (var (file, _) in current.Data ?? [])
        {
            if (!data.ContainsKey(file)) data[file] = null;
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = current.Uid(),
                ["resourceVersion"] = current.ResourceVersion(),
                ["labels"] = wanted["metadata"]!["labels"]!.DeepClone(),
            },
            ["data"] = data,
        };
    }

    /// <summary>The ConfigMap as decisions see it.</summary>
    /// <param name="owner">The RagDeployment.</param>
    /// <param name="configMap">The ConfigMap.</param>
    public static FlagsView View(ChildOwner owner, V1ConfigMap configMap)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(configMap);
        return new FlagsView
        {
            Name = configMap.Name(),
            Uid = configMap.Uid(),
            ResourceVersion = configMap.ResourceVersion(),
            Owner = owner.OwnershipOf(configMap),
            Deleting = configMap.Metadata.DeletionTimestamp is not null,
            Component = configMap.GetLabel(ApiConstants.ComponentLabel) ?? "",
            Revision = configMap.GetLabel(ApiConstants.RevisionLabel) ?? "",
            Flags = FlagFiles.Read(configMap.Data),
        };
    }
}
