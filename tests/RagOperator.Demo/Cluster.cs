using System.Diagnostics;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.V1Alpha1;
using RagOperator.Kubernetes;
using RagOperator.TestBed;

namespace RagOperator.Demo;

/// <summary>The API server: read with the project's own client, written to with kubectl, as a user would.</summary>
internal sealed class Cluster : IDisposable
{
    private static readonly NamespacedName s_key = new(Site.Namespace, Site.Object);
    private readonly KubernetesClient _client = new(KubernetesClientConfiguration.BuildDefaultConfig(), json: new KubernetesJson(ApiJsonContext.Default));

    public Uri Address => _client.BaseUri;

    /// <exception cref="KubernetesException">It could not be read.</exception>
    public async Task<RagDeployment?> ObjectAsync(CancellationToken cancellationToken) => (await _client.GetAsync<RagDeployment>(s_key, cancellationToken)).ValueOrNull();

    public async Task<V1HTTPRoute?> RouteAsync(CancellationToken cancellationToken) => (await _client.GetAsync<V1HTTPRoute>(s_key, cancellationToken)).ValueOrNull();

    public async Task<IReadOnlyList<V1Pod>> PodsAsync(CancellationToken cancellationToken) =>
        (await _client.ListAsync<V1Pod>(new ListOptions { Namespace = Site.Namespace, LabelSelector = $"{ApiConstants.NameLabel}={Site.Object}" }, cancellationToken)).EnsureSuccess().Items;

    public async Task<IReadOnlyList<V1ConfigMap>> FlagFilesAsync(CancellationToken cancellationToken) =>
        [.. (await _client.ListAsync<V1ConfigMap>(new ListOptions { Namespace = Site.Namespace }, cancellationToken)).EnsureSuccess().Items.Where(map => map.Metadata.Name!.EndsWith("-flags", StringComparison.Ordinal))];

    public Task<ApiResult<byte[]>> GetRawAsync(string path, CancellationToken cancellationToken)
    {
        var query = path.Split('?') is [_, var rest] && rest.Split('=') is [var key, var value] ? new KeyValuePair<string, string>[] { new(key, value) } : null;
        return _client.SendAsync(HttpMethod.Get, path.Split('?')[0], query, timeout: TimeSpan.FromSeconds(10), cancellationToken: cancellationToken);
    }

    /// <summary>Runs kubectl to its end.</summary>
    public static async Task<CommandResult> KubectlAsync(string[] args, string? input = null, CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo("kubectl", args) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync((input ?? "").AsMemory(), cancellationToken);
            process.StandardInput.Close();
            var result = (await output, await error);
            await process.WaitForExitAsync(cancellationToken);
            return new CommandResult(process.ExitCode, result.Item1, result.Item2);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    public void Dispose() => _client.Dispose();
}
