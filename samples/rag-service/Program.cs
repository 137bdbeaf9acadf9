using RagOperator.SampleService;

// One binary, three services: the role says which.
var role = args is [var first, ..] && !first.StartsWith('-') ? first : Environment.GetEnvironmentVariable("ROLE") ?? "api";
if (ImageTag.FromEnvironment().Crashes)
{
    Console.Error.WriteLine("this image cannot start");
    return 3;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls($"http://0.0.0.0:{Environment.GetEnvironmentVariable("PORT") ?? "8000"}");
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, SampleJsonContext.Default));
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<Drain>();
builder.Services.AddSingleton<IHostLifetime>(services => services.GetRequiredService<Drain>());
builder.Services.AddSingleton<RequestMetrics>();
builder.Services.AddSingleton(ImageTag.FromEnvironment());
builder.Services.AddSingleton<FlagFile>();
builder.Services.AddHostedService(services => services.GetRequiredService<FlagFile>());
if (role == "api")
    RagApi.AddServices(builder.Services);

var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/metrics", (RequestMetrics metrics) => Results.Text(metrics.Render(), "text/plain; version=0.0.4"));
app.MapGet("/version", (ImageTag tag, FlagFile flags) =>
    new VersionAnswer(role, tag.Name, Environment.GetEnvironmentVariable("RAG_REVISION") ?? "", flags.Current));
switch (role)
{
    case "embedder":
        app.MapGet("/readyz", (Drain drain) => drain.Readiness(true));
        app.MapPost("/embed", (EmbedRequest request) => new EmbedAnswer([.. request.Texts.Select(HashingEmbedder.Embed)])).Counted("/embed");
        break;
    case "reranker":
        app.MapGet("/readyz", (Drain drain) => drain.Readiness(true));
        app.MapPost("/rerank", (RerankRequest request) => new RerankAnswer(Bm25.Score(request.Query, request.Passages))).Counted("/rerank");
        break;
    case "api":
        RagApi.Map(app);
        break;
    default:
        Console.Error.WriteLine($"no such role: {role} (embedder, reranker, api)");
        return 64;
}

await app.RunAsync();
return 0;
