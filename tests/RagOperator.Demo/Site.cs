using RagOperator.TestBed;

namespace RagOperator.Demo;

/// <summary>Where the demo plays: a cluster with a gateway and a Prometheus.</summary>
/// <param name="Name">For people.</param>
/// <param name="Gateway">Where the gateway takes requests.</param>
/// <param name="Prometheus">The metric source.</param>
/// <param name="Image">The sample service's image without its tag.</param>
/// <param name="GatewayNamespace">The Gateway object's namespace.</param>
/// <param name="GatewayName">Its name.</param>
/// <param name="AccessLog">nginx' own count of requests; null where it cannot be read: then answers are counted.</param>
internal sealed record Site(string Name, Uri Gateway, Uri Prometheus, string Image, string GatewayNamespace, string GatewayName, string? AccessLog)
{
    public const string Namespace = "rag-demo";
    public const string Object = "assistant";
    public const string Host = "assistant.example.com";
    public const string SampleImage = "rag-sample";

    /// <summary>Where the project's files are.</summary>
    public static string Repository => ClusterBed.Repository;

    /// <summary>Whether the cluster ends with the demo; else what the demo made in it is deleted at the end.</summary>
    public bool IsBed => AccessLog is not null;

    /// <summary>How shares are counted, for people.</summary>
    public string Counter => IsBed ? "at nginx" : "by their answers";

    /// <summary>The cluster that this process runs in the middle of.</summary>
    public static Site FromBed()
    {
        using var bed = ClusterBed.FromEnvironment();
        return new Site("a cluster of its own", bed.GatewayUrl, bed.PrometheusUrl, SampleImage, "gateways", "public", Path.Combine(bed.Folder, "gateway", "access.log"));
    }

    /// <summary>A file of samples/demo with the image and the gateway of this site.</summary>
    public string Manifest(string file) => File.ReadAllText(Path.Combine(Repository, "samples/demo", file))
        .Replace($"image: {SampleImage}:", $"image: {Image}:", StringComparison.Ordinal)
        .Replace("{name: public, namespace: gateways}", $"{{name: {GatewayName}, namespace: {GatewayNamespace}}}", StringComparison.Ordinal);
}
