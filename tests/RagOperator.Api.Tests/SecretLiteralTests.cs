namespace RagOperator.Api.Tests;

/// <summary>Literals that look like secrets are warned of by their field, and never shown.</summary>
public class SecretLiteralTests
{
    [Theory]
    [InlineData("OPENAI_API_KEY", "abcd1234efgh")]
    [InlineData("apiKey", "abcd1234efgh")]
    [InlineData("HF_TOKEN", "not-known-form")]
    [InlineData("DB_PASSWORD", "1234")]
    [InlineData("CLIENT_SECRET", "s3cr3t")]
    [InlineData("EXTRA", "sk-proj-Abcdefgh1jklmn0pqrstuv")]
    [InlineData("EXTRA", "Bearer ghp_0123456789abcdefghijABCDEFGHIJ")]
    [InlineData("EXTRA", "hf_AbcdefghijklmnopqrstuvwxyzAbcdef")]
    [InlineData("EXTRA", "AKIAIOSFODNN7EXAMPLE")]
    [InlineData("EXTRA", "-----BEGIN RSA PRIVATE KEY-----\\nMII")]
    [InlineData("EXTRA", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln")]
    [InlineData("DATABASE_URL", "postgres://rag:hunter2@db:5432/rag")]
    public void Literal_that_looks_like_a_secret_is_warned_of_and_not_told(string name, string value)
    {
        var reading = Specs.Read(s => s.Put("components[3].template.spec.containers[0].env", $"[{{name: PLAIN, value: x}}, {{name: {name}, value: \"{value}\"}}]"));

        Assert.Empty(reading.Problems);
        var warning = Assert.Single(reading.Warnings);
        Assert.Equal("spec.components[3].template.spec.containers[0].env[1].value", warning.Field);
        Assert.Contains($"of {name} looks like a secret", warning.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(value, warning.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("initContainers", "[{name: i, env: [{name: HF_TOKEN, value: abcdefgh}]}]", "initContainers[0].env[0].value")]
    [InlineData("containers", "[{name: c, args: [serve, --api-key, sk-abcdefgh1jklmn0pqrstuv]}]", "containers[0].args[2]")]
    [InlineData("containers", "[{name: a}, {name: c, command: [run, --key=sk-abcdefgh1jklmn0pqrstuv]}]", "containers[1].command[1]")]
    public void Every_container_and_its_words_are_looked_at(string list, string yaml, string field) =>
        Assert.Equal($"spec.components[3].template.spec.{field}", Assert.Single(Specs.Read(s => s.Put($"components[3].template.spec.{list}", yaml)).Warnings).Field);

    [Theory]
    [InlineData("OPENAI_API_KEY", "")]
    [InlineData("OPENAI_API_KEY", "EMPTY")]
    [InlineData("OPENAI_API_KEY", "$(OTHER)")]
    [InlineData("TLS_KEY", "/etc/tls/tls.key")]
    [InlineData("API_KEY_FILE", "anything-at-all")]
    [InlineData("TOKENIZER", "bert-base-uncased")]
    [InlineData("TOKENIZERS_PARALLELISM", "false")]
    [InlineData("REQUIRE_TOKEN", "true")]
    [InlineData("USE_KEY", "yes")]
    [InlineData("MAX_NEW_TOKEN", "4096")]
    [InlineData("DB_PASSWORD", "123")]
    [InlineData("EOS_TOKEN", "<|endoftext|>")]
    [InlineData("JWT_PUBLIC_KEY", "MIIBIjANBgkq")]
    [InlineData("MODEL", "task-sk-learn-something-very-long")]
    [InlineData("MODEL", "sk-learn-something-very-long")]
    [InlineData("DATABASE_URL", "postgres://rag:$(DB_PASSWORD)@db:5432/rag")]
    [InlineData("QDRANT_URL", "http://qdrant:6333/collections")]
    public void Literal_that_is_no_secret_is_let_be(string name, string value) =>
        Assert.Empty(Specs.Read(s => s.Put("components[3].template.spec.containers[0].env", $"[{{name: {name}, value: \"{value}\"}}]")).Warnings);

    [Fact]
    public void Reference_to_a_secret_is_let_be() =>
        Assert.Empty(Specs.Read(s => s.Put("components[3].template.spec.containers[0].env", "[{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf, key: token}}}]")).Warnings);

    [Fact]
    public void Many_of_them_fill_no_page()
    {
        var env = string.Join(", ", Enumerable.Range(0, 40).Select(static i => $"{{name: K{i}_KEY, value: abcdefgh}}"));

        var warnings = Specs.Read(s => s.Put("components[3].template.spec.containers[0].env", $"[{env}]")).Warnings;

        Assert.Equal(10, warnings.Count);
        Assert.Equal("spec.components: have 31 more literals that look like secrets", warnings[^1].Text);
    }
}
