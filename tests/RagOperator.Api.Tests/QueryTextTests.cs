namespace RagOperator.Api.Tests;

public sealed class QueryTextTests
{
    [Theory]
    [InlineData("up", "")]
    [InlineData("sum(rate(x_total{a=\"1\",b=~'2..'}[$(window)]))", "x_total{a=\"1\",b=~'2..'}[$(window)]")]
    [InlineData("a{ x != \"}\" , } / b:c {y!~`\\`} [5m] # d{z=\"1\"}", "a{x!=\"}\"} b:c{y!~`\\`}[5m]")]
    [InlineData("sum by (x) (a{x=\"\\\"\"}[5m:1m])", "a{x=\"\\\"\"}")]
    [InlineData("{__name__=\"a\"} + \"b{c='1'}\"", "")]
    [InlineData("a{\"quoted.name\"} a{x} a{x=1} a{x=\"", "")]
    public void Selectors_of_a_query(string query, string expected) =>
        Assert.Equal(expected, string.Join(' ', QueryText.Selectors(query).Select(static s => $"{s.Name}{{{string.Join(',', s.Matchers)}}}{(s.Range is { } r ? $"[{r}]" : "")}")));

    [Theory]
    [InlineData("a{x=\">\"}[5m] > 2 # < 3", "a   > 2  ")]
    [InlineData("label_replace(a, \"/\", '/', `/`, \"x", "label_replace(a,  ,  ,  ,  ")]
    public void Bare_keeps_operators_only(string query, string expected) => Assert.Equal(expected, QueryText.Bare(query));

    [Theory]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000'}", "", true)]
    [InlineData("sum(increase(answers_total{service=\"$(service)\",path=\"/ask\"}[$(window)]))", "{min: '10', max: 1k}", "", true)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000'}", "steps: [canary]", true)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000'}", "steps: [full]", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000'}", "onBreach: Hold", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000'}", "onBreach: Report", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '1000', maxDecrease: '10'}", "", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: '0'}", "", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{max: '1000'}", "", false)]
    [InlineData("replay_buffer_size{service=\"$(service)\"}", "{min: 80%}", "", false)]
    [InlineData("sum(rate(hits{service=\"$(service)\"}[5m])) / sum(rate(asks{service=\"$(service)\"}[5m]))", "{min: '0.8'}", "", false)]
    [InlineData("avg(rag_answer_size{service=\"$(service)\"})", "{min: '0.8'}", "", false)]
    [InlineData("min(rag_recall{service=\"$(service)\"})", "{min: '0.8'}", "", false)]
    [InlineData("min(up{service=\"$(service)\"})", "{min: '1'}", "", false)]
    public void Lower_end_of_what_grows_from_0_is_warned_of(string query, string limit, string more, bool warned)
    {
        var reading = Specs.Read(s =>
        {
            s.Put("rollout.steps", "[{name: canary, weight: 5}, {name: full, weight: 100}]");
            s.Put("sla.metrics", $"[{{name: m, query: '{query}', limit: {limit}, {more}}}]");
        });

        Assert.Empty(reading.Problems);
        Assert.Equal(warned ? ["spec.sla.metrics[0].limit.min"] : [], reading.Warnings.Select(static w => w.Field));
    }
}
