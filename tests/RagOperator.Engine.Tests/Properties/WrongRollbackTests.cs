using RagOperator.Tests.Shared;

namespace RagOperator.Engine.Tests.Properties;

/// <summary>A release that is well must not be taken back by chance.</summary>
public sealed class WrongRollbackTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Healthy_service_of_three_in_a_thousand_errors_is_never_taken_back_in_a_hundred_days(int seed) =>
        Assert.Equal(0, new HealthyTraffic(seed, requestsPerSecond: 50, errorRate: 0.003).WrongRollbacks(100, failAfter: 3, volumeMin: 0));

    [Fact]
    public void Bad_service_of_two_in_a_hundred_errors_is_taken_back_again_and_again()
    {
        // The same traffic, and the same judge: were it blind the test above would prove nothing.
        Assert.InRange(new HealthyTraffic(1, requestsPerSecond: 50, errorRate: 0.02).WrongRollbacks(1, failAfter: 3, volumeMin: 0), 900, 960);
    }

    [Fact]
    public void Least_number_of_requests_protects_a_service_with_little_traffic()
    {
        Assert.NotEqual(0, new HealthyTraffic(1, requestsPerSecond: 1, errorRate: 0.003).WrongRollbacks(10, failAfter: 3, volumeMin: 0));
        Assert.Equal(0, new HealthyTraffic(1, requestsPerSecond: 1, errorRate: 0.003).WrongRollbacks(10, failAfter: 3, volumeMin: 100));
    }
}
