using System.Reflection;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Attributes;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Generator;

/// <summary>The CustomResourceDefinition of RagDeployment.</summary>
internal static class CrdFile
{
    private const string Header = "# Generated from the types in src/RagOperator.Api by `make crds`. Do not edit.\n";

    public static string Text() => Header + YamlText.Write(Build());

    public static JsonObject Build()
    {
        var type = typeof(RagDeployment);
        var entity = type.GetCustomAttribute<KubernetesEntityAttribute>()!;
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = $"{entity.PluralName}.{entity.Group}" },
            ["spec"] = new JsonObject
            {
                ["group"] = entity.Group,
                ["names"] = new JsonObject
                {
                    ["categories"] = Strings(type.GetCustomAttribute<KubernetesEntityCategoriesAttribute>()!.Categories),
                    ["kind"] = entity.Kind,
                    ["listKind"] = entity.Kind + "List",
                    ["plural"] = entity.PluralName,
                    ["shortNames"] = Strings(type.GetCustomAttribute<KubernetesEntityShortNamesAttribute>()!.ShortNames),
                    ["singular"] = entity.Kind.ToLowerInvariant(),
                },
                ["scope"] = "Namespaced",
                ["versions"] = new JsonArray(new JsonObject
                {
                    ["name"] = entity.ApiVersion,
                    ["served"] = true,
                    ["storage"] = true,
                    ["additionalPrinterColumns"] = new JsonArray([.. type.GetCustomAttributes<GenericAdditionalPrinterColumnAttribute>().Select(Column)]),
                    ["schema"] = new JsonObject { ["openAPIV3Schema"] = Root(type) },
                    ["subresources"] = new JsonObject { ["status"] = new JsonObject() },
                }),
            },
        };
    }

    private static JsonObject Root(Type type)
    {
        var root = SchemaBuilder.Object(type, XmlDocs.Of(type));
        var properties = root["properties"]!.AsObject();
        properties["apiVersion"] = Text("Group and version of this object's schema: ragoperator.dev/v1alpha1.");
        properties["kind"] = Text("The kind of this object: RagDeployment.");
        // Children are named after the object; more than its name cannot be restricted here.
        var name = Text("Services and Deployments are called after it, so it is shorter than other names and begins with a letter.");
        name["maxLength"] = SpecLimits.ObjectNameLength;
        name["pattern"] = SpecLimits.NamePattern;
        properties["metadata"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["name"] = name } };
        return root;
    }

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    private static JsonNode Column(GenericAdditionalPrinterColumnAttribute column)
    {
        var node = new JsonObject { ["name"] = column.Name, ["type"] = column.Type, ["jsonPath"] = column.JsonPath, ["description"] = column.Description };
        if (column.Priority != PrinterColumnPriority.StandardView)
            node["priority"] = (int)column.Priority;
        return node;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(static v => (JsonNode)v)];
}
