using System.Text.Json.Serialization;

namespace RagOperator.SampleService;

internal sealed record VersionAnswer(string Role, string Tag, string Revision, IReadOnlyDictionary<string, bool> Flags);

internal sealed record EmbedRequest(string[] Texts);

internal sealed record EmbedAnswer(float[][] Vectors);

internal sealed record RerankRequest(string Query, string[] Passages);

internal sealed record RerankAnswer(double[] Scores);

internal sealed record Question(string Q);

internal sealed record Citation(int Number, string Id, string Title, string Text, double Score);

internal sealed record Replayed(string Question, string Answer);

internal sealed record Debate(string For, string Against);

/// <summary>What <c>/ask</c> says. <c>Replayed</c> and <c>Debate</c> are there only while their flags are on.</summary>
internal sealed record Answer
{
    public required string Question { get; init; }

    [JsonPropertyName("answer")]
    public required string Text { get; init; }

    public required IReadOnlyList<Citation> Citations { get; init; }

    public required string Ranking { get; init; }

    public IReadOnlyList<Replayed>? Replayed { get; init; }

    public Debate? Debate { get; init; }

    public required IReadOnlyDictionary<string, bool> Flags { get; init; }

    public required string Revision { get; init; }

    public required string Tag { get; init; }
}

internal sealed record Problem(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(EmbedRequest))]
[JsonSerializable(typeof(EmbedAnswer))]
[JsonSerializable(typeof(RerankRequest))]
[JsonSerializable(typeof(RerankAnswer))]
[JsonSerializable(typeof(Question))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class SampleJsonContext : JsonSerializerContext;
