using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Attributes;

namespace RagOperator.Generator;

/// <summary>From types to the structural schema of a CRD. Only what an API server of 1.20 accepts, and CEL rules, which it passes by.</summary>
internal static class SchemaBuilder
{
    public static JsonObject Object(Type type, string description)
    {
        var schema = new JsonObject { ["description"] = description };
        var properties = new JsonObject();
        foreach (var property in Fields(type).OrderBy(static p => JsonName(p), StringComparer.Ordinal))
            properties[JsonName(property)] = Property(property);
        schema["properties"] = properties;
        var required = Fields(type).Where(static p => p.IsDefined(typeof(RequiredAttribute))).Select(static p => JsonName(p)).Order(StringComparer.Ordinal).ToList();
        if (required.Count > 0)
            schema["required"] = Strings(required);
        schema["type"] = "object";
        if (type.GetCustomAttribute<PropertyLimitsAttribute>() is { } limits)
            schema["minProperties"] = limits.MinProperties;
        AddRules(type, schema);
        return schema;
    }

    /// <summary>What of a type is in its schema: of an object with metadata only what is its own.</summary>
    public static IEnumerable<PropertyInfo> Fields(Type type) => type.GetProperties()
        .Where(p => p.CanWrite && !(typeof(IKubernetesObject).IsAssignableFrom(type) && p.Name is nameof(IKubernetesObject.ApiVersion) or nameof(IKubernetesObject.Kind) or "Metadata"));

    public static string JsonName(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    private static JsonObject Property(PropertyInfo property)
    {
        var schema = ListItem(property) is { } item ? List(property, item) : One(property, TypeOf(property));
        schema["description"] = XmlDocs.Of(property);
        if (property.GetCustomAttribute<DefaultValueAttribute>() is { } value)
            schema["default"] = JsonNode.Parse(value.Json);
        AddRules(property, schema);
        return schema;
    }

    private static JsonObject List(PropertyInfo property, Type item)
    {
        var list = new JsonObject { ["type"] = "array", ["items"] = item == typeof(string) ? One(property, item) : Object(item, XmlDocs.Of(item)) };
        if (property.GetCustomAttribute<ItemsAttribute>() is { } items)
        {
            if (items.MinItems > 0)
                list["minItems"] = items.MinItems;
            list["maxItems"] = items.MaxItems;
        }

        list["x-kubernetes-list-type"] = (property.GetCustomAttribute<XListTypeAttribute>()?.Type ?? XListType.Atomic).ToString().ToLowerInvariant();
        if (property.GetCustomAttribute<XListMapKeysAttribute>() is { } keys)
            list["x-kubernetes-list-map-keys"] = Strings(keys.Keys);
        return list;
    }

    private static JsonObject One(PropertyInfo property, Type type)
    {
        if (property.IsDefined(typeof(PreserveUnknownFieldsAttribute)))
            return new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        if (property.IsDefined(typeof(IntOrStringAttribute)))
            return new JsonObject { ["x-kubernetes-int-or-string"] = true };
        if (IsTextMap(type))
            return TextMap(property);
        var schema = type switch
        {
            _ when type == typeof(string) => new JsonObject { ["type"] = "string" },
            _ when type == typeof(bool) => new JsonObject { ["type"] = "boolean" },
            _ when type == typeof(int) => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
            _ when type == typeof(long) => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
            _ when type == typeof(DateTimeOffset) => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            { IsClass: true } => Object(type, ""),
            _ => throw new NotSupportedException($"{property.DeclaringType!.Name}.{property.Name}: no schema for {type}"),
        };
        if (property.GetCustomAttribute<LengthAttribute>() is { } length)
        {
            schema["minLength"] = length.MinLength;
            schema["maxLength"] = length.MaxLength;
        }

        if (property.GetCustomAttribute<PatternAttribute>() is { } pattern)
            schema["pattern"] = pattern.RegexPattern;
        if (property.GetCustomAttribute<EnumValuesAttribute>() is { } values)
            schema["enum"] = Strings(values.Values);
        if (property.GetCustomAttribute<RangeMinimumAttribute>() is { } minimum)
            schema["minimum"] = minimum.Minimum;
        if (property.GetCustomAttribute<RangeMaximumAttribute>() is { } maximum)
            schema["maximum"] = maximum.Maximum;
        return schema;
    }

    /// <summary>Whether it is an object of strings with any keys.</summary>
    public static bool IsTextMap(Type type) => type == typeof(Dictionary<string, string>);

    private static JsonObject TextMap(PropertyInfo property)
    {
        var value = new JsonObject { ["type"] = "string" };
        if (property.GetCustomAttribute<LengthAttribute>() is { } length)
            value["maxLength"] = length.MaxLength;
        var map = new JsonObject { ["type"] = "object", ["additionalProperties"] = value };
        if (property.GetCustomAttribute<ItemsAttribute>() is { } items)
            map["maxProperties"] = items.MaxItems;
        return map;
    }

    private static Type TypeOf(PropertyInfo property) =>
        property.GetCustomAttribute<SchemaTypeAttribute>()?.Type ?? Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

    private static Type? ListItem(PropertyInfo property) =>
        property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(List<>) ? type.GetGenericArguments()[0] : null;

    private static void AddRules(MemberInfo member, JsonObject schema)
    {
        var rules = member.GetCustomAttributes<ValidationRuleAttribute>().ToList();
        if (rules.Count == 0)
            return;
        if (schema["x-kubernetes-validations"] is not JsonArray list)
            schema["x-kubernetes-validations"] = list = [];
        foreach (var rule in rules)
            list.Add((JsonNode)new JsonObject { ["rule"] = rule.Rule, ["message"] = rule.Message });
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(static v => (JsonNode)v)];
}
