using RagOperator.Api;
using RagOperator.Kubernetes;
using RagOperator.Operator.Hosting;

namespace RagOperator.Operator.Tests.Controller;

public sealed class FieldManagerTests
{
    [Fact]
    public void Named_gives_the_servers_default_field_manager_the_name_that_own_writes_are_known_by()
    {
        var named = OperatorHost.Named(new KubernetesClientConfiguration { Host = new Uri("https://127.0.0.1:1") }, "rag-operator-7d_0a1b2c3d");

        // Servers take what stands before the first slash of the user agent.
        Assert.Equal(ApiConstants.FieldManager, named.UserAgent.Split('/')[0]);
    }
}
