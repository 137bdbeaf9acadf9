using RagOperator.Api.Resolved;

namespace RagOperator.Api.Tests;

/// <summary>A port that no container declares is warned of: it may be a slip, and each request would fail.</summary>
public class PortWarningTests
{
    [Theory]
    [InlineData("[{containerPort: 8080}]")]
    [InlineData("[{containerPort: 8080}, {name: metrics, containerPort: 9090}]")]
    public void Port_that_no_container_declares_is_warned_of_and_taken(string ports)
    {
        var reading = Read(ports);

        Assert.Empty(reading.Problems);
        var warning = Assert.Single(reading.Warnings);
        Assert.Equal("spec.components[3].ports[0].port", warning.Field);
        Assert.Contains("is declared by no container (they declare 8080", warning.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[{containerPort: 9090}, {containerPort: 8000}]")]
    [InlineData("[]")]
    [InlineData("[{name: broken}]")]
    public void Port_that_is_declared_and_containers_that_declare_nothing_are_no_news(string ports) => Assert.Empty(Read(ports).Warnings);

    [Theory]
    [InlineData("8080", true)]
    [InlineData("9090", false)]
    [InlineData("web", false)]
    public void Port_behind_the_Service_is_the_one_that_counts(string target, bool isWarned)
    {
        var reading = Specs.Read(s =>
        {
            s.Put("components[3].ports[0].targetPort", target);
            s.Put("components[3].template.spec.containers[0].ports", "[{name: web, containerPort: 9090}]");
        });

        Assert.Equal(isWarned ? ["spec.components[3].ports[0].targetPort"] : [], reading.Warnings.Select(static w => w.Field));
    }

    private static SpecReading Read(string ports) => Specs.Read(s => s.Put("components[3].template.spec.containers[0].ports", ports));
}
