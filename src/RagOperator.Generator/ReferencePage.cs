using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using RagOperator.Abstractions.Attributes;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Generator;

/// <summary>docs/api.md: each type as a table of its fields.</summary>
internal static partial class ReferencePage
{
    public static string Text()
    {
        var page = new StringBuilder();
        page.Append(
            $"""
            <!-- Generated from the types in src/RagOperator.Api by `make crds`. Do not edit. -->
            # API reference: {ApiConstants.Kind}, {ApiConstants.ApiVersion}

            {XmlDocs.Of(typeof(RagDeployment))}

            Plural `{ApiConstants.Plural}`, short name `{ApiConstants.ShortName}`, category `rag`, namespaced. Fields in **bold** are required. Defaults are filled in
            when the operator reads an object; the API server fills in none. Each rule is held by the operator, which names every violation in the
            condition `Stalled` (reason `InvalidSpec`) with field, value and what is allowed; most are held by the API server too.

            `metadata.name` has at most {SpecLimits.ObjectNameLength} characters and begins with a letter, because Services are called after it. Together with the
            name of a component it has at most {SpecLimits.NameLength - ApiConstants.RevisionLength - 2}: Deployments are called `<name>-<component>-<revision>`.

            - **duration**: whole numbers with `d`, `h`, `m`, `s` or `ms`, the greater unit first: `30s`, `10m`, `1h30m`, `7d`.
            - **limit**: a string (in quotes where YAML would read a number) with a decimal and perhaps a unit: `"0.01"`, `1%` (= 0.01), `500ms` and
              `2s` (seconds underneath), `5M`, `512Mi`, `1G` (as Kubernetes quantities). A lone `m` is refused: it could be milli or minutes.
            - **percentage**: `10%` or `"10"`, both ten percent.
            - Variables in queries: `$(name) $(namespace) $(component) $(service) $(revision) $(window)`; `$(service)` is the name of the component
              revision's Service and Deployment, with which its pods' names begin. Any other `$(x)` is refused; all else is left as it is.
            - `featureFlags` left out delivers no files; with it, even without flags, the components of `deliverTo` have the folder.
            - `RAG_REVISION` and `RAG_FLAGS_DIR`, and `RAG_<NAME>_URL`, `_HOST`, `_PORT` of each dependency, may not be set by a container's own `env`.
              Native sidecars (init containers with `restartPolicy: Always`) get them too, and keep their own where they set one; other init containers get none.
            - Pods get no variables of the namespace's Services (`enableServiceLinks: false`) unless the template sets it: Service `vllm` would set `VLLM_PORT=tcp://...`,
              which vLLM takes for its own setting. Pods of Deployments that are there already stay as they are.
            - A component that receives flags may have no volume `{ApiConstants.FlagsVolume}` and no mount in `{ApiConstants.FlagsDirectory}`.


            """.ReplaceLineEndings("\n"));
        Tables(page, typeof(RagDeploymentSpec));
        Tables(page, typeof(RagDeploymentStatus));
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Tables(StringBuilder page, Type root)
    {
        var open = new Queue<Type>([root]);
        var seen = new HashSet<Type>(open);
        while (open.TryDequeue(out var type))
        {
            Table(page, type);
            foreach (var next in SchemaBuilder.Fields(type).Select(ObjectType).OfType<Type>().Where(seen.Add))
                open.Enqueue(next);
        }
    }

    private static void Table(StringBuilder page, Type type)
    {
        page.Append($"## {Title(type)}\n\n{XmlDocs.Of(type)}\n\n");
        foreach (var rule in type.GetCustomAttributes<ValidationRuleAttribute>())
            page.Append($"- {Cell(rule.Message)}.\n");
        if (type.GetCustomAttribute<PropertyLimitsAttribute>() is { } limits)
            page.Append($"- at least {limits.MinProperties} field must be set.\n");
        if (type.IsDefined(typeof(ValidationRuleAttribute)) || type.IsDefined(typeof(PropertyLimitsAttribute)))
            page.Append('\n');
        page.Append("| field | type | default | rule | meaning |\n|---|---|---|---|---|\n");
        foreach (var property in SchemaBuilder.Fields(type))
        {
            var name = SchemaBuilder.JsonName(property);
            var meaning = XmlDocs.Of(property);
            var given = DefaultSentence().Match(meaning);
            page.Append(property.IsDefined(typeof(RequiredAttribute)) ? $"| **{name}** " : $"| {name} ");
            page.Append($"| {TypeText(property)} | {(given.Success ? Cell(given.Groups["value"].Value) : "")} | {Cell(Rule(property))} ");
            page.Append($"| {Cell(DefaultSentence().Replace(meaning, "").Replace("  ", " ", StringComparison.Ordinal).Trim())} |\n");
        }

        page.Append('\n');
    }

    private static string TypeText(PropertyInfo property)
    {
        var list = property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(List<>);
        var inner = list ? property.PropertyType.GetGenericArguments()[0] : Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var text = ObjectType(property) is { } linked ? $"[{Title(linked)}](#{Title(linked).ToLowerInvariant()})"
            : property.IsDefined(typeof(PreserveUnknownFieldsAttribute)) ? "object"
            : property.IsDefined(typeof(IntOrStringAttribute)) ? "integer or string"
            : SchemaBuilder.IsTextMap(inner) ? "map of strings"
            : inner == typeof(string) ? Kind(property)
            : inner == typeof(bool) ? "boolean"
            : inner == typeof(DateTimeOffset) ? "time"
            : "integer";
        return list ? $"list of {text}" : text;
    }

    private static string Kind(PropertyInfo property) => property.GetCustomAttribute<PatternAttribute>()?.RegexPattern switch
    {
        Api.Values.RagDuration.Pattern => "duration",
        Api.Values.LimitValue.Pattern or Api.Values.LimitValue.DistancePattern => "limit",
        Api.Values.LimitValue.PercentPattern => "percentage",
        _ => "string",
    };

    private static string Rule(PropertyInfo property)
    {
        var rules = new List<string>();
        if (property.GetCustomAttribute<ItemsAttribute>() is { } items)
            rules.Add($"{items.MinItems} to {items.MaxItems} items");
        if (property.GetCustomAttribute<XListTypeAttribute>()?.Type == XListType.Set)
            rules.Add("each once");
        if (property.GetCustomAttribute<XListMapKeysAttribute>() is { } keys)
            rules.Add($"{string.Join(", ", keys.Keys)} unique");
        if (property.GetCustomAttribute<EnumValuesAttribute>() is { } values)
            rules.Add(string.Join(", ", values.Values));
        var (least, most) = (property.GetCustomAttribute<RangeMinimumAttribute>()?.Minimum, property.GetCustomAttribute<RangeMaximumAttribute>()?.Maximum);
        if (least is not null)
            rules.Add(most is null ? $"at least {least}" : $"{least} to {most}");
        switch (property.GetCustomAttribute<PatternAttribute>()?.RegexPattern)
        {
            case SpecLimits.NamePattern:
                rules.Add("DNS label, begins with a letter");
                break;
            case SpecLimits.LabelPattern:
                rules.Add("DNS label");
                break;
        }

        if (Kind(property) == "string" && !property.IsDefined(typeof(IntOrStringAttribute)) && property.GetCustomAttribute<LengthAttribute>() is { } length)
            rules.Add($"at most {length.MaxLength} characters");
        rules.AddRange(property.GetCustomAttributes<ValidationRuleAttribute>().Select(static r => r.Message));
        return string.Join("; ", rules);
    }

    private static Type? ObjectType(PropertyInfo property)
    {
        var type = property.PropertyType is { IsGenericType: true } generic ? generic.GetGenericArguments()[0] : property.PropertyType;
        return type is { IsClass: true } && type != typeof(string) && !SchemaBuilder.IsTextMap(property.PropertyType) ? type : null;
    }

    private static string Title(Type type) => type == typeof(V1Condition) ? "Condition" : type.Name;

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<= |^)Default:? (?<value>[^.]+(\.[0-9][^.]*)*)\.(?= |$)", RegexOptions.ExplicitCapture)]
    private static partial Regex DefaultSentence();
}
