using System.Text.Json;
using RagOperator.Api.Resolved;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Releases;

/// <summary>Content algorithm 1 is frozen: were one of these values to change, an upgrade of the operator would restart every pod of every user.</summary>
public sealed class GoldenHashTests
{
    private const string Rich =
        """
        components:
          - name: qdrant
            external: {service: qdrant, port: 6333}
          - name: embedder
            dependsOn: [qdrant]
            replicas: 2
            ports: [{name: http, port: 8003}]
            template:
              metadata: {labels: {team: search}}
              spec:
                containers:
                  - {name: embedder, image: 'registry.example/embedder:1.4', args: ['--threads', '8'], resources: {limits: {cpu: 1.5, nvidia.com/gpu: 1}}}
                  - {name: sidecar, image: 'sidecar:ü', env: [{name: B, value: '2'}, {name: A, value: '1'}]}
          - name: api
            dependsOn: [qdrant, embedder]
            canaryReplicas: 1
            ports: [{name: http, port: 8000, appProtocol: http}, {name: admin, port: 8001}]
            template: {spec: {containers: [{name: api, image: 'registry.example/api:2.0'}], terminationGracePeriodSeconds: 30}}
        traffic: {gatewayApi: {parentRefs: [{name: public}]}}
        featureFlags: {deliverTo: [api], flags: [{name: replay, enabled: true}, {name: bandit, enabled: true}, {name: debate, enabled: false}]}
        """;

    private static ResolvedSpec Read(SpecText spec) => new Cluster("assistant", spec.Json()).Reading.Spec!;

    private static IReadOnlyDictionary<string, string> Contents(SpecText spec) => ContentHashes.Of(Read(spec));

    private static ReleaseRecord Mint(SpecText spec, ReleaseBook? book = null)
    {
        var read = Read(spec);
        return ReleaseMint.Mint(read, ContentHashes.Of(read), book ?? new ReleaseBook([], []), 0);
    }

    private static ReleaseBook Book(params ReleaseRecord[] records) => new(records.Select(static r => new ReleaseView { Name = r.Hash, Record = r }), []);

    private static string Text(ReleaseRecord record) => string.Join(" ", record.Components.Select(static c => $"{c.Name}={c.Revision}").Prepend(record.Hash));

    [Fact]
    public void Contents_of_the_usual_spec_are_what_they_always_were()
    {
        var contents = Contents(new SpecText());
        Assert.Equal("0dac8024673fc6c721a797e619341bbabfab30d07dee61c660c4572e7edbff17", contents["embedder"]);
        Assert.Equal("337f9e61284adc12f38bc775ea4e4d3aff75daf6b0a2166b4b0a65b556639e43", contents["api"]);
        Assert.Equal("tlbcsp2tqk embedder=76mszmt9mv api=bldw7f89lm", Text(Mint(new SpecText())));
    }

    [Fact]
    public void Contents_of_the_rich_spec_are_what_they_always_were()
    {
        var contents = Contents(new SpecText(Rich));
        Assert.Equal("840aedd39000285c683a1e0b1519c8d9dd293dee4af831ab2cacf61ca7304dc3", contents["qdrant"]);
        Assert.Equal("13f1b838039203c887347dc1388b78fee60312ff99ddee5e3e5499137e073f27", contents["embedder"]);
        Assert.Equal("dc7237ab889220b2cc73d2b05cad1052548330a2ca4136776a01929a6d22341b", contents["api"]);
        Assert.Equal("vp5mk8r5xg qdrant= embedder=95gdqsrwjs api=s4qwclk7md", Text(Mint(new SpecText(Rich))));
    }

    [Fact]
    public void Order_of_keys_and_of_lists_of_named_things_and_nulls_do_not_count()
    {
        var other = new SpecText(Rich)
            .Put("components[2]", "{template: {spec: {terminationGracePeriodSeconds: 30, nodeName: null, containers: [{image: 'registry.example/api:2.0', name: api}]}}, ports: [{port: 8001, name: admin}, {appProtocol: http, port: 8000, name: http}], name: api, canaryReplicas: 1, dependsOn: [qdrant, embedder]}")
            .Put("components[1].template.spec.containers[1].env", "[{name: A, value: '1'}, {value: '2', name: B}]");
        Assert.Equal(Contents(new SpecText(Rich)), Contents(other));
        Assert.Equal(Text(Mint(new SpecText(Rich))), Text(Mint(other)));
    }

    [Fact]
    public void Way_of_writing_a_character_does_not_count()
    {
        var plain = JsonDocument.Parse("""{"a":"ü/<>&'","b":1.50}""").RootElement;
        var escaped = JsonDocument.Parse("""{"a":"\u00fc\/\u003c\u003E\u0026\u0027","b":1.50}""").RootElement;
        Assert.Equal(CanonicalJson.Bytes(plain), CanonicalJson.Bytes(escaped));
        Assert.Equal("""{"a":"\u00FC/\u003C\u003E\u0026\u0027","b":1.50}""", System.Text.Encoding.UTF8.GetString(CanonicalJson.Bytes(plain)));
    }

    [Theory]
    [InlineData("components[1].replicas", "7")]
    [InlineData("components[1].canaryReplicas", "1")]
    [InlineData("components[1].progressDeadline", "1h")]
    [InlineData("components[1].minReadySeconds", "30")]
    [InlineData("components[1].metadata", "{labels: {cost-center: '4711'}}")]
    [InlineData("traffic.metadata", "{annotations: {owner: search}}")]
    [InlineData("rollout.steps", "[{name: all, weight: 100}]")]
    public void Replicas_and_policy_do_not_count(string path, string value) =>
        Assert.Equal(Text(Mint(new SpecText(Rich))), Text(Mint(new SpecText(Rich).Put(path, value))));

    [Theory]
    [InlineData("components[1].template.spec.containers[0].args", "['8', '--threads']")]
    [InlineData("components[1].template.spec.containers[0].unheardOf", "{deep: [1]}")]
    [InlineData("components[1].template.spec.unheardOf", "false")]
    [InlineData("components[1].ports[0].port", "8004")]
    [InlineData("components[0].external.port", "6334")]
    public void Anything_else_below_counts_for_itself_and_all_above_also_what_nobody_here_knows(string path, string value)
    {
        var before = Contents(new SpecText(Rich));
        var after = Contents(new SpecText(Rich).Put(path, value));
        Assert.NotEqual(before["embedder"], after["embedder"]);
        Assert.NotEqual(before["api"], after["api"]);
    }

    [Fact]
    public void Change_above_counts_only_there()
    {
        var first = Mint(new SpecText(Rich));
        var second = Mint(new SpecText(Rich).Image("api", "registry.example/api:2.1"), Book(first));
        Assert.Equal(first.Component("embedder")!.Revision, second.Component("embedder")!.Revision);
        Assert.NotEqual(first.Component("api")!.Revision, second.Component("api")!.Revision);
        Assert.NotEqual(first.Hash, second.Hash);
    }

    [Fact]
    public void Flags_are_content_of_their_receivers_only()
    {
        var first = Mint(new SpecText(Rich));
        var second = Mint(new SpecText(Rich).Flag("debate", true), Book(first));
        Assert.Equal(first.Component("embedder")!.Revision, second.Component("embedder")!.Revision);
        Assert.NotEqual(first.Component("api")!.Revision, second.Component("api")!.Revision);
    }

    [Fact]
    public void Mint_twice_from_the_same_book_gives_the_same_release() => Assert.Equal(Text(Mint(new SpecText(Rich))), Text(Mint(new SpecText(Rich))));

    [Fact]
    public void Names_have_ten_characters_that_a_label_may_have()
    {
        var record = Mint(new SpecText(Rich));
        foreach (var name in record.Workloads().Select(static c => c.Revision!).Append(record.Hash)) Assert.Matches("^[bcdfghjklmnpqrstvwxz2456789]{10}$", name);
    }
}
