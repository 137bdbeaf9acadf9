using System.Text;
using System.Text.RegularExpressions;
using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Support;

namespace RagOperator.ClusterTests.Installation;

/// <summary>A kubeconfig with a ServiceAccount's token: a process outside of pods that may do what the pods may.</summary>
internal static partial class AccountConfig
{
    /// <summary>Writes it, once the account has a token.</summary>
    /// <returns>The file, to be deleted by the caller.</returns>
    public static async Task<string> WriteAsync(TestSpace space, string place, string account)
    {
        var token = "";
        await space.UntilAsync(async () =>
        {
            var secrets = (await space.Api.GetAsync($"/api/v1/namespaces/{place}/secrets"))!.Value.GetProperty("items").EnumerateArray();
            token = secrets.Where(s => s.GetProperty("metadata").Text("name").StartsWith($"{account}-token-", StringComparison.Ordinal) && s.TryGetProperty("data", out _))
                .Select(s => Encoding.UTF8.GetString(Convert.FromBase64String(s.Text("data", "token")))).FirstOrDefault() ?? "";
            return token.Length > 0;
        }, TimeSpan.FromSeconds(30), "the account has a token");
        var text = await File.ReadAllTextAsync(space.Bed.KubeConfig);
        var (server, authority) = (Server().Match(text).Groups["v"].Value, Authority().Match(text).Groups["v"].Value);
        var file = Path.Combine(Path.GetTempPath(), $"{place}-{account}.kubeconfig");
        await File.WriteAllTextAsync(file, $$"""
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: u, namespace: {{place}}} }]
            clusters: [{name: c, cluster: {server: "{{server}}", certificate-authority-data: "{{authority}}"} }]
            users: [{name: u, user: {token: "{{token}}"} }]
            """);
        return file;
    }

    [GeneratedRegex("""server: *"?(?<v>[^\s",}]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Server();

    [GeneratedRegex("""certificate-authority-data: *"?(?<v>[^\s",}]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Authority();
}
