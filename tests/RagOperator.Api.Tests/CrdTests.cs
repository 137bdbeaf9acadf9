using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RagOperator.Api.V1Alpha1;
using RagOperator.Generator;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

/// <summary>What an API server asks of a CRD, checked without one; that a server of 1.20 takes it, and the samples, is tested on the cluster.</summary>
public class CrdTests
{
    private static readonly string _text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "crds", "ragoperator.dev_ragdeployments.yaml"));
    private static readonly JsonNode _crd = YamlJson.Parse(_text)!;
    private static readonly JsonNode _version = _crd["spec"]!["versions"]![0]!;
    private static readonly JsonObject _root = _version["schema"]!["openAPIV3Schema"]!.AsObject();
    private static readonly List<(string Path, JsonObject Schema)> _nodes = [.. Nodes("", _root)];

    [Fact]
    public void Files_are_what_the_types_say()
    {
        Assert.True(CrdFile.Text() == _text, "crds/ is stale: run `make crds`");
        Assert.True(ReferencePage.Text() == File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "api.md")), "docs/api.md is stale: run `make crds`");
    }

    [Fact]
    public void Yaml_reads_back_as_the_tree_that_was_written()
    {
        Assert.True(JsonNode.DeepEquals(CrdFile.Build(), _crd));
    }

    [Fact]
    public void Crd_is_small() => Assert.InRange(_text.Length, 1, 60_000);

    [Fact]
    public void Names_and_columns_are_what_people_type_and_see()
    {
        var names = _crd["spec"]!["names"]!;
        Assert.Equal("ragdeployments.ragoperator.dev", _crd["metadata"]!["name"]!.GetValue<string>());
        Assert.Equal("ragd", names["shortNames"]![0]!.GetValue<string>());
        Assert.Equal("rag", names["categories"]![0]!.GetValue<string>());
        Assert.Equal("ragdeployment", names["singular"]!.GetValue<string>());
        Assert.Equal("Namespaced", _crd["spec"]!["scope"]!.GetValue<string>());
        var columns = _version["additionalPrinterColumns"]!.AsArray();
        Assert.Equal(["Phase", "Step", "Weight", "Release", "Until", "Age"], Columns(0));
        Assert.Equal(["Stable", "Canary", "Message"], Columns(1));
        Assert.All(columns, c => Assert.Contains(c!["type"]!.GetValue<string>(), (string[])["integer", "number", "string", "boolean", "date"]));

        IEnumerable<string> Columns(int priority) =>
            columns.Where(c => (c!["priority"]?.GetValue<long>() ?? 0) == priority).Select(c => c!["name"]!.GetValue<string>());
    }

    [Fact]
    public void Columns_show_fields_that_exist()
    {
        foreach (var column in _version["additionalPrinterColumns"]!.AsArray())
        {
            var path = column!["jsonPath"]!.GetValue<string>();
            if (!path.StartsWith(".metadata", StringComparison.Ordinal))
                Assert.Contains(_nodes, n => n.Path == path);
        }
    }

    [Fact]
    public void Every_field_has_a_type_and_a_description_that_is_a_sentence()
    {
        Assert.True(_nodes.Count > 150);
        Assert.All(_nodes, n => Assert.True(n.Schema["type"] is JsonValue || IsIntOrString(n.Schema), n.Path));
        Assert.All(_nodes.Where(n => n.Path != ".metadata" && !(n.Path.EndsWith("[]", StringComparison.Ordinal) && Type(n.Schema) == "string")), n =>
        {
            var text = n.Schema["description"]?.GetValue<string>() ?? "";
            Assert.True(text.Length > 8 && text.EndsWith('.') && !text.Contains("  ", StringComparison.Ordinal), $"{n.Path}: {text}");
        });
    }

    [Fact]
    public void Schema_is_structural()
    {
        string[] refused = ["$ref", "definitions", "uniqueItems", "nullable", "anyOf", "oneOf", "allOf", "not", "dependencies", "deprecated"];
        string[] types = ["object", "array", "string", "integer", "boolean", "integer or string"];
        Assert.All(_nodes, n => Assert.True(refused.All(r => !n.Schema.ContainsKey(r)), n.Path));
        Assert.All(_nodes, n => Assert.Contains(Type(n.Schema), types)); // no number: no floats
        Assert.All(_nodes.Where(n => Type(n.Schema) == "array"), n => Assert.True(n.Schema["items"] is JsonObject, n.Path));
        Assert.All(_nodes.Where(n => Type(n.Schema) == "object"), n =>
            Assert.True(new[] { n.Schema["properties"] is JsonObject, n.Schema["x-kubernetes-preserve-unknown-fields"]?.GetValue<bool>() == true, IsTextMap(n.Schema) }.Count(static b => b) == 1, n.Path));
        Assert.DoesNotContain(_nodes, n => n.Schema["default"] is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Length == 0);
        Assert.Equal(["name"], _root["properties"]!["metadata"]!["properties"]!.AsObject().Select(p => p.Key));
        Assert.DoesNotContain(_nodes, n => n.Schema.Any(p => p.Value is JsonArray { Count: 0 }));
    }

    [Fact]
    public void Required_fields_exist_and_have_no_default()
    {
        foreach (var (path, schema) in _nodes.Where(n => n.Schema.ContainsKey("required")))
        {
            foreach (var name in schema["required"]!.AsArray().Select(r => r!.GetValue<string>()))
            {
                var field = schema["properties"]![name];
                Assert.True(field is not null && field["default"] is null, $"{path}.{name}");
            }
        }
    }

    [Fact]
    public void Lists_are_merged_by_keys_that_are_required()
    {
        var maps = _nodes.Where(n => n.Schema["x-kubernetes-list-type"]?.GetValue<string>() == "map").ToList();
        Assert.Equal(
            [".spec.components", ".spec.featureFlags.flags", ".spec.sla.metrics", ".status.components", ".status.conditions", ".status.flags", ".status.sla"],
            maps.Select(m => m.Path).Order(StringComparer.Ordinal));
        Assert.All(maps, m => Assert.All(m.Schema["x-kubernetes-list-map-keys"]!.AsArray(), key =>
            Assert.Contains(key!.GetValue<string>(), m.Schema["items"]!["required"]!.AsArray().Select(r => r!.GetValue<string>()))));
        Assert.All(_nodes.Where(n => n.Schema["x-kubernetes-list-type"]?.GetValue<string>() == "set"), s => Assert.Equal("string", Type(s.Schema["items"]!.AsObject())));
        Assert.All(_nodes.Where(n => Type(n.Schema) == "array"), n => Assert.True(n.Schema.ContainsKey("x-kubernetes-list-type"), n.Path));
    }

    /// <summary>CEL's cost is estimated from the bounds; without one a list or text counts as the whole request.</summary>
    [Fact]
    public void Everything_in_spec_is_bounded()
    {
        var spec = _nodes.Where(n => n.Path.StartsWith(".spec.", StringComparison.Ordinal)).ToList();
        Assert.All(spec.Where(n => Type(n.Schema) == "array"), n => Assert.True(n.Schema.ContainsKey("maxItems"), n.Path));
        Assert.All(spec.Where(n => Type(n.Schema) == "string"), n => Assert.True(n.Schema.ContainsKey("maxLength") || n.Schema.ContainsKey("enum"), n.Path));
        Assert.All(spec.Where(n => IsTextMap(n.Schema)), n => Assert.True(n.Schema.ContainsKey("maxProperties") && n.Schema["additionalProperties"]!.AsObject().ContainsKey("maxLength"), n.Path));
        Assert.All(spec.Where(n => Type(n.Schema) == "integer"), n => Assert.True(n.Schema.ContainsKey("minimum"), n.Path));
    }

    [Fact]
    public void Defaults_are_only_that_of_status()
    {
        var node = Assert.Single(_nodes, n => n.Schema.ContainsKey("default"));

        Assert.Equal(".status", node.Path);
        Assert.Equal("""{"observedGeneration":-1}""", node.Schema["default"]!.ToJsonString());
        Assert.True(_version["subresources"]!["status"] is JsonObject);
    }

    [Fact]
    public void Rules_have_a_message_of_one_line_and_name_fields_that_exist()
    {
        var rules = _nodes.Where(n => n.Schema.ContainsKey("x-kubernetes-validations"))
            .SelectMany(n => n.Schema["x-kubernetes-validations"]!.AsArray().Select(r => (n.Path, Rule: r!["rule"]!.GetValue<string>(), Message: r["message"]!.GetValue<string>())))
            .ToList();

        Assert.True(rules.Count >= 10);
        var names = _nodes.SelectMany(n => n.Path.Split('.')).Select(p => p.Replace("[]", "", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        string[] functions = ["all", "exists", "exists_one", "map", "isSorted"];
        Assert.All(rules, r =>
        {
            Assert.True(r.Message.Length > 0 && !r.Message.Contains('\n', StringComparison.Ordinal), r.Path);
            foreach (Match member in Regex.Matches(r.Rule, @"\.([A-Za-z_]+)"))
                Assert.True(names.Contains(member.Groups[1].Value) || functions.Contains(member.Groups[1].Value), $"{r.Path}: {r.Rule}");
        });
    }

    [Fact]
    public void Spec_as_read_has_the_fields_that_the_schema_has()
    {
        // A field that one of the two lacks would be refused as unknown, or pruned in silence.
        foreach (var (path, schema) in _nodes.Where(n => n.Path.StartsWith(".spec", StringComparison.Ordinal) && n.Schema["properties"] is JsonObject))
        {
            var spec = Specs.GoodSpec();
            var target = path[".spec".Length..].TrimStart('.').Replace("[]", "[0]", StringComparison.Ordinal);
            var at = target.Length == 0 ? spec : Descend(spec, target);
            at["zz"] = 1;
            var problem = Assert.Single(Specs.ReadNode(spec).Problems, p => p.Field.EndsWith(".zz", StringComparison.Ordinal));
            Assert.Equal(
                schema["properties"]!.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal),
                problem.Rule[(problem.Rule.IndexOf("are ", StringComparison.Ordinal) + 4)..].Split(", ").Order(StringComparer.Ordinal));
        }

        static JsonNode Descend(JsonNode spec, string path)
        {
            if (path.StartsWith("components[0].ports", StringComparison.Ordinal) || path.StartsWith("components[0].metadata", StringComparison.Ordinal))
                path = path.Replace("components[0]", "components[2]", StringComparison.Ordinal);
            return spec.At(path);
        }
    }

    [Fact]
    public void Status_as_written_has_only_fields_that_the_schema_has()
    {
        var status = new RagDeploymentStatus
        {
            Step = new StepStatus { Name = "canary", State = "Holding", HeldFor = "1m" },
            Conditions = [new Abstractions.Models.V1Condition { Type = "Ready", Status = "True", Reason = "Healthy" }],
            Sla = [new MetricStatus { Name = "errors", Verdict = "Pass" }],
            History = [new HistoryEntry { Outcome = "Promoted", Values = ["1"] }],
            Flags = [new FlagStatus { Name = "replay" }],
        };

        Compare(JsonSerializer.SerializeToNode(status, ApiJsonContext.Default.RagDeploymentStatus)!, _root["properties"]!["status"]!, "status");

        static void Compare(JsonNode? value, JsonNode schema, string path)
        {
            if (value is JsonObject o)
            {
                foreach (var field in o)
                {
                    Assert.True(schema["properties"]?[field.Key] is not null, $"{path}.{field.Key}");
                    Compare(field.Value, schema["properties"]![field.Key]!, $"{path}.{field.Key}");
                }
            }
            else if (value is JsonArray list)
            {
                foreach (var item in list)
                    Compare(item, schema["items"]!, path + "[]");
            }
        }
    }

    private static string Type(JsonObject schema) => IsIntOrString(schema) ? "integer or string" : schema["type"]!.GetValue<string>();

    private static bool IsIntOrString(JsonObject schema) => schema["x-kubernetes-int-or-string"]?.GetValue<bool>() == true;

    private static bool IsTextMap(JsonObject schema) => schema["additionalProperties"] is JsonObject value && Type(value) == "string";

    private static IEnumerable<(string Path, JsonObject Schema)> Nodes(string path, JsonObject schema)
    {
        yield return (path, schema);
        foreach (var (name, child) in schema["properties"]?.AsObject() ?? [])
        {
            foreach (var node in Nodes($"{path}.{name}", child!.AsObject()))
                yield return node;
        }

        if (schema["items"] is JsonObject items)
        {
            foreach (var node in Nodes($"{path}[]", items))
                yield return node;
        }
    }
}
