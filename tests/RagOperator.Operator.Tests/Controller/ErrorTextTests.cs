using RagOperator.Operator.Controller;

namespace RagOperator.Operator.Tests.Controller;

/// <summary>A status that is written for a number in an error's text begins the next try, and that the next status.</summary>
public sealed class ErrorTextTests
{
    [Theory]
    [InlineData(null, "refused", "refused")]
    [InlineData("read tcp 10.0.0.5:38424: connection reset", "read tcp 10.0.0.5:41002: connection reset", "read tcp 10.0.0.5:38424: connection reset")]
    [InlineData("used: 9, limited: 10", "used: 10, limited: 10", "used: 9, limited: 10")]
    [InlineData("exceeded quota: small", "denied by a webhook", "denied by a webhook")]
    public void Text_that_differs_in_numbers_alone_stays(string? before, string now, string shown) => Assert.Equal(shown, ErrorText.Steady(before, now));
}
