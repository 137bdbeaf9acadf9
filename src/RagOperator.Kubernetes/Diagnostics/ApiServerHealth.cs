namespace RagOperator.Kubernetes;

/// <summary>Whether the API server answers. Not answering is never a reason to restart: that would not help.</summary>
internal sealed class ApiServerHealth(KubernetesClient client) : IHealthSource
{
    // Watches end and are opened again well within this.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    public string Name => "api-server";

    public HealthReport Check() => (client.EverAnswered, client.Silence) switch
    {
        (false, var silence) => new(HealthVerdict.Degraded, $"no answer for {silence.TotalSeconds:0} s, not one so far"),
        (_, var silence) when silence > Limit => new(HealthVerdict.Degraded, $"no answer for {silence.TotalSeconds:0} s"),
        (_, var silence) => new(HealthVerdict.Healthy, $"last answer {silence.TotalSeconds:0} s ago"),
    };
}
