using FsCheck;
using FsCheck.Fluent;
using RagOperator.Tests.Shared;

namespace RagOperator.Api.Tests;

public class QueryTemplateTests
{
    private static readonly QueryVariables _variables = new("assistant", "rag", "api", "assistant-api-bcdfg24567", "bcdfg24567", TimeSpan.FromMinutes(1));

    [Theory]
    [InlineData("$(name) $(namespace) $(component) $(service) $(revision) $(window)", "assistant rag api assistant-api-bcdfg24567 bcdfg24567 1m")]
    [InlineData("up{pod=~\"$(service)-.*\"}[$(window)]", "up{pod=~\"assistant-api-bcdfg24567-.*\"}[1m]")]
    [InlineData("$(name)$(name)", "assistantassistant")]
    [InlineData("{{ .Values.x }} ${y} $z $$ \"5..$\" {a=\"b\"}", "{{ .Values.x }} ${y} $z $$ \"5..$\" {a=\"b\"}")]
    [InlineData("$(nope) $(", "$(nope) $(")]
    [InlineData("", "")]
    public void Render_replaces_the_variables_and_nothing_else(string query, string expected)
    {
        Assert.Equal(expected, QueryTemplate.Render(query, _variables));
    }

    [Theory]
    [InlineData(60, "1m")]
    [InlineData(90, "90s")]
    [InlineData(300, "5m")]
    [InlineData(1, "1s")]
    [InlineData(86400, "1440m")]
    [InlineData(1.5, "1500ms")]
    public void Render_window_is_a_duration_of_Prometheus(double seconds, string expected)
    {
        Assert.Equal(expected, QueryTemplate.Render("$(window)", _variables with { Window = TimeSpan.FromSeconds(seconds) }));
    }

    [Fact]
    public void Render_value_never_ends_the_string_that_it_stands_in()
    {
        Seeded.Holds(100, ArbMap.Default.ArbFor<NonNull<string>>(), static value =>
        {
            var text = QueryTemplate.Render("$(service)", _variables with { Service = value.Get });
            return text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
        });
    }

    [Theory]
    [InlineData("rate(x[$(window)])", "")]
    [InlineData("x{a=\"$(pod)\"}", "$(pod)")]
    [InlineData("$(Name) $()", "$(Name)|$()")]
    [InlineData("x $(name", "$(name")]
    [InlineData("x $$(name)", "$$(name)")]
    [InlineData("{{ x }} ${y} $z $$", "")]
    public void Check_names_each_piece_that_is_no_variable(string query, string expected)
    {
        var found = QueryTemplate.Check(query);

        Assert.Equal(expected, string.Join('|', found.Select(f => f.Piece)));
        Assert.All(found, f => Assert.Contains("$(name) $(namespace) $(component) $(service) $(revision) $(window)", f.Rule, StringComparison.Ordinal));
    }

    /// <summary>What users are told that the presets are.</summary>
    [Fact]
    public void Presets_are_the_queries_of_the_full_sample()
    {
        var metrics = Samples.Spec("full.yaml")["sla"]!["metrics"]!;

        Assert.Equal(Words(metrics[0]!["query"]!.GetValue<string>()), Words(MetricPresets.BuiltIn["http-error-rate"]));
        Assert.Equal(Words(metrics[1]!["query"]!.GetValue<string>()), Words(MetricPresets.BuiltIn["http-latency-p95"]));
        Assert.Equal(2, MetricPresets.BuiltIn.Count);

        static string Words(string query) => string.Concat(query.Where(c => !char.IsWhiteSpace(c)));
    }
}
