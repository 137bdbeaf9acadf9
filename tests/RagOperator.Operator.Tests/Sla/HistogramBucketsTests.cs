using RagOperator.Operator.Sla;

namespace RagOperator.Operator.Tests.Sla;

public sealed class HistogramBucketsTests
{
    [Theory]
    [InlineData("sum(rate(x_bucket[1m]))")]
    [InlineData("histogram_quantile(0.95, sum(rate(native_seconds[1m])))")]
    [InlineData("histogram_quantile(0.95, rate(x_bucket{a=\"b[1m]))")]
    [InlineData("histogram_quantile(0.95, x{__name__=\"y_bucket\"})")]
    public void BoundQuery_without_a_histogram_that_can_be_seen_is_null(string query)
    {
        Assert.Null(HistogramBuckets.BoundQuery(query));
    }

    [Theory]
    [InlineData("histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))", "x_bucket{le")]
    [InlineData("histogram_quantile(0.95, sum by (le) (rate(ns:x_bucket { a=\"}\", b=~'\\'}', } [1m])))", "ns:x_bucket{a=\"}\", b=~'\\'}',le")]
    [InlineData("x_bucket / histogram_quantile(0.9, y_bucket{c=`\\`})", "y_bucket{c=`\\`,le")]
    public void BoundQuery_asks_the_same_series(string query, string selector)
    {
        Assert.Equal(
            $"histogram_quantile(1, (group by (le) ({selector}!=\"+Inf\"}}) * 0) or group by (le) ({selector}=\"+Inf\"}}))",
            HistogramBuckets.BoundQuery(query));
    }
}
