namespace RagOperator.SampleService;

/// <summary>Retrieve, rerank, answer with citations.</summary>
internal sealed class RagApi(HttpClient http, FlagFile flags, ImageTag tag, TimeProvider time) : BackgroundService
{
    private const int Candidates = 8;
    private const int Cited = 3;
    private const int WarmUps = 10;
    private readonly string _embedder = Environment.GetEnvironmentVariable("RAG_EMBEDDER_URL") ?? "http://localhost:8003";
    private readonly string _reranker = Environment.GetEnvironmentVariable("RAG_RERANKER_URL") ?? "http://localhost:8004";
    private readonly string _revision = Environment.GetEnvironmentVariable("RAG_REVISION") ?? "";
    private readonly Memory _memory = new();
    private volatile IReadOnlyList<(Passage Passage, float[] Vector)>? _index;

    public static void AddServices(IServiceCollection services)
    {
        services.AddSingleton(new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(30) }) { Timeout = TimeSpan.FromSeconds(10) });
        services.AddSingleton<RagApi>();
        services.AddHostedService(provider => provider.GetRequiredService<RagApi>());
    }

    public static void Map(WebApplication app)
    {
        app.MapGet("/readyz", (Drain drain, RagApi api) => drain.Readiness(api._index is not null));
        app.MapGet("/ask", (string q, RagApi api, CancellationToken cancellationToken) => api.AnswerAsync(q, cancellationToken)).Counted("/ask", "GET");
        app.MapPost("/ask", (Question question, RagApi api, CancellationToken cancellationToken) => api.AnswerAsync(question.Q, cancellationToken)).Counted("/ask");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var passages = Corpus.Load();
        while (_index is null)
        {
            try
            {
                var vectors = await EmbedAsync([.. passages.Select(passage => passage.Whole)], stoppingToken);
                (Passage Passage, float[] Vector)[] index = [.. passages.Zip(vectors)];
                // Ready means warm: the first users are not to pay for just-in-time compilation and new connections.
                foreach (var passage in passages.Take(WarmUps))
                    await RetrieveAsync(index, passage.Title, stoppingToken);
                _index = index;
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), time, stoppingToken);
            }
        }
    }

    private async Task<IResult> AnswerAsync(string question, CancellationToken cancellationToken)
    {
        if (_index is not { } index)
            return Results.Json(new Problem("the index is not built yet"), SampleJsonContext.Default.Problem, statusCode: 503);
        try
        {
            var (vector, ranked) = await RetrieveAsync(index, question, cancellationToken);
            return Results.Json(Compose(question, vector, ranked), SampleJsonContext.Default.Answer);
        }
        catch (HttpRequestException e)
        {
            return Results.Json(new Problem($"a dependency failed: {e.Message}"), SampleJsonContext.Default.Problem, statusCode: 500);
        }
    }

    private async Task<(float[] Vector, List<(Passage Passage, double Score)> Ranked)> RetrieveAsync(IReadOnlyList<(Passage Passage, float[] Vector)> index, string question, CancellationToken cancellationToken)
    {
        var vector = (await EmbedAsync([question], cancellationToken))[0];
        var candidates = index.Select(entry => (entry.Passage, Near: HashingEmbedder.Similarity(vector, entry.Vector)))
            .OrderByDescending(entry => entry.Near).Take(Candidates).ToList();
        var scores = await RerankAsync(question, [.. candidates.Select(entry => entry.Passage.Whole)], cancellationToken);
        return (vector, candidates.Zip(scores, (entry, score) => (entry.Passage, Score: score + entry.Near)).ToList());
    }

    private Answer Compose(string question, float[] vector, List<(Passage Passage, double Score)> ranked)
    {
        var bandit = flags.IsOn("soft-q-bandit");
        var chosen = (bandit ? _memory.Explore(ranked) : [.. ranked.OrderByDescending(entry => entry.Score)]).Take(Cited)
            .Select((entry, i) => new Citation(i + 1, entry.Passage.Id, entry.Passage.Title, entry.Passage.Text, Math.Round(entry.Score, 4))).ToList();
        var text = string.Join(' ', chosen.Select(citation => $"{FirstSentence(citation.Text)} [{citation.Number}]"));
        var replayed = flags.IsOn("experience-replay") ? _memory.Similar(vector, question) : null;
        _memory.Remember(question, vector, text);
        return new Answer
        {
            Question = question,
            Text = text,
            Citations = chosen,
            Ranking = bandit ? "soft-q-bandit" : "relevance",
            Replayed = replayed,
            Debate = flags.IsOn("debate-mode") && chosen.Count > 1 ? new Debate(FirstSentence(chosen[0].Text), $"But consider: {FirstSentence(chosen[1].Text)}") : null,
            Flags = flags.Current,
            Revision = _revision,
            Tag = tag.Name,
        };
    }

    private static string FirstSentence(string text) => text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;

    private async Task<float[][]> EmbedAsync(string[] texts, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync($"{_embedder}/embed", new EmbedRequest(texts), SampleJsonContext.Default.EmbedRequest, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(SampleJsonContext.Default.EmbedAnswer, cancellationToken))?.Vectors ?? throw new HttpRequestException("no vectors");
    }

    private async Task<double[]> RerankAsync(string query, string[] passages, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync($"{_reranker}/rerank", new RerankRequest(query, passages), SampleJsonContext.Default.RerankRequest, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(SampleJsonContext.Default.RerankAnswer, cancellationToken))?.Scores ?? throw new HttpRequestException("no scores");
    }
}
