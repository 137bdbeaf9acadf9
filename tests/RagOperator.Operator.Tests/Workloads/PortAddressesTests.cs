using System.Text.Json;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Kubernetes;
using RagOperator.Operator.Tests.Support;
using RagOperator.Operator.Workloads;

namespace RagOperator.Operator.Tests.Workloads;

public sealed class PortAddressesTests
{
    [Theory]
    // The pods' own port, which the Service's may differ from, of each subset.
    [InlineData("""[{"addresses":[{"ip":"10.1.0.2"},{"ip":"10.1.0.1"}],"ports":[{"name":"http","port":8080,"protocol":"TCP"}]},{"addresses":[{"ip":"10.1.0.3"}],"ports":[{"name":"http","port":8081}]}]""", "10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8081")]
    [InlineData("""[{"addresses":[{"ip":"fd00::1"}],"ports":[{"name":"http","port":8080}]}]""", "[fd00::1]:8080")]
    // What is not ready, not that port or no connection is not asked.
    [InlineData("""[{"notReadyAddresses":[{"ip":"10.1.0.1"}],"ports":[{"name":"http","port":8080}]}]""", "")]
    [InlineData("""[{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"name":"grpc","port":8080}]}]""", "")]
    [InlineData("""[{"addresses":[{"ip":"10.1.0.1"}]}]""", "")]
    [InlineData("""[{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"name":"http","port":8080,"protocol":"UDP"}]}]""", "")]
    [InlineData("[]", "")]
    // Written by hand: never the operator's own node, nor what only it can reach.
    [InlineData("""[{"addresses":[{"ip":"127.0.0.1"},{"ip":"169.254.169.254"},{"ip":"::1"},{"ip":"::ffff:127.0.0.1"},{"ip":"::ffff:169.254.169.254"},{"ip":"fe80::1"},{"ip":"0.0.0.0"},{"ip":"::"},{"ip":"224.0.0.1"},{"ip":"ff02::1"},{"ip":"x"}],"ports":[{"name":"http","port":8080}]}]""", "")]
    public void Addresses_of_a_port_by_endpoints_are_those_of_ready_pods(string subsets, string expected)
    {
        var json = Sample.Object($$"""{"metadata":{"name":"assistant-api-new"},"subsets":{{subsets}}}""");
        var endpoints = json.Deserialize(new KubernetesJson(ApiJsonContext.Default).TypeInfo<V1Endpoints>());

        Assert.Equal(expected, string.Join(' ', PortAddresses.Of(endpoints, "http")));
    }

    [Theory]
    [InlineData("""[{"endpoints":[{"addresses":["10.1.0.2"]},{"addresses":["10.1.0.1"],"conditions":{"ready":true}},{"addresses":["10.1.0.3"],"conditions":{"ready":false}}],"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}]""", "10.1.0.1:8080 10.1.0.2:8080")]
    // A pod on its way from one slice to another, and another family of addresses.
    [InlineData("""[{"endpoints":[{"addresses":["10.1.0.1"]}],"ports":[{"name":"http","port":8080}]},{"endpoints":[{"addresses":["10.1.0.1"]},{"addresses":["fd00::1"]}],"ports":[{"name":"http","port":8080}]}]""", "10.1.0.1:8080 [fd00::1]:8080")]
    [InlineData("""[{"endpoints":[{"addresses":["10.1.0.1"]}],"ports":[{"name":"http"}]}]""", "")]
    [InlineData("""[{"endpoints":[{"addresses":["10.1.0.1"]}],"ports":[{"name":"http","port":8080,"protocol":"UDP"}]}]""", "")]
    [InlineData("""[{"endpoints":[{"addresses":["10.1.0.1"]}],"ports":[{"name":"grpc","port":8080}]}]""", "")]
    [InlineData("""[{"endpoints":[{"addresses":["example.com"]},{"addresses":["169.254.169.254"]},{}],"ports":[{"name":"http","port":8080}]}]""", "")]
    public void Addresses_of_a_port_by_slices_are_those_of_ready_pods(string slices, string expected)
    {
        var read = Sample.Object($$"""{"slices":{{slices}}}""")["slices"]!.AsArray().Select(static s => s!.Deserialize(new KubernetesJson(ApiJsonContext.Default).TypeInfo<V1EndpointSlice>())!);

        Assert.Equal(expected, string.Join(' ', PortAddresses.Of(read, "http")));
    }
}
