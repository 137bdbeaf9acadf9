using RagOperator.ClusterTests.Infrastructure;

namespace RagOperator.ClusterTests.Admission;

/// <summary>Certificates, configurations and outages.</summary>
[Collection("webhook")]
public sealed class WebhookLifeTests(WebhookSpace webhook)
{
    private TestSpace Space => webhook.Space;

    [SkippableFact]
    public async Task Bundle_taken_by_a_hand_and_a_Secret_deleted_are_made_good_and_then_nothing_is_written()
    {
        foreach (var kind in (string[])["validatingwebhookconfiguration", "mutatingwebhookconfiguration"])
            (await Space.Bed.KubectlAsync("patch", kind, WebhookSpace.Configuration, "--type=json", "-p", """[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]""")).OrThrow();
        await webhook.IsAskedAsync();
        var authority = await AuthorityAsync();

        (await Space.Bed.KubectlAsync("delete", "secret", "rag-operator-webhook", "-n", webhook.Watched)).OrThrow();
        await Space.UntilAsync(async () => await AuthorityAsync() is { Length: > 0 } next && next != authority, TimeSpan.FromSeconds(20), "a new authority");
        await webhook.IsAskedAsync();
        await Space.UntilAsync(AllTrustAsync, TimeSpan.FromSeconds(20), "both configurations have the new authority");

        var versions = await VersionsAsync();
        await Space.StaysAsync(async () => await VersionsAsync() == versions, TimeSpan.FromSeconds(3));
        Assert.DoesNotContain(Space.Operator.LogLines(), static line => line.Contains("PRIVATE KEY", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Webhook_that_is_down_lets_in_and_the_operator_says_what_is_wrong()
    {
        await Space.Operator.KillAsync();
        try
        {
            await Space.Bed.ApplyAsync(Objects.Bad.Replace("name: assistant", "name: unasked", StringComparison.Ordinal), "-n", webhook.Watched);
        }
        finally
        {
            Space.Operator.Start();
        }

        var status = await Space.UntilAsync(static s => s.Phase == "Degraded", TimeSpan.FromSeconds(30), "told by the operator", "unasked");
        var stalled = status.Conditions!.Single(static c => c.Type == "Stalled");
        Assert.Equal("InvalidSpec", stalled.Reason);
        Assert.All(Objects.BadFields, field => Assert.Contains(field, stalled.Message, StringComparison.Ordinal));
        await webhook.IsAskedAsync();
        (await Space.Bed.KubectlAsync("delete", "ragd", "unasked", "-n", webhook.Watched)).OrThrow();
    }

    private async Task<string?> AuthorityAsync() => await Space.Bed.GetAsync("secret", "rag-operator-webhook", webhook.Watched) is { } secret && secret.TryGetProperty("data", out var data)
        ? data.GetProperty("ca.crt").GetString()
        : null;

    /// <summary>One that is asked already says nothing of the other.</summary>
    private async Task<bool> AllTrustAsync()
    {
        var authority = Text(await AuthorityAsync() ?? "");
        foreach (var kind in (string[])["validatingwebhookconfiguration", "mutatingwebhookconfiguration"])
        {
            foreach (var hook in (await Space.Bed.GetAsync(kind, WebhookSpace.Configuration))!.Value.GetProperty("webhooks").EnumerateArray())
                if (!hook.GetProperty("clientConfig").TryGetProperty("caBundle", out var bundle) || !Text(bundle.GetString()!).Contains(authority.Trim(), StringComparison.Ordinal)) return false;
        }

        return true;
    }

    private static string Text(string base64) => System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(base64));

    private async Task<string> VersionsAsync()
    {
        var versions = new List<string>();
        foreach (var path in (string[])[$"/api/v1/namespaces/{webhook.Watched}/secrets/rag-operator-webhook", $"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{WebhookSpace.Configuration}", $"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{WebhookSpace.Configuration}"])
            versions.Add((await Space.Api.GetAsync(path))!.Value.GetProperty("metadata").GetProperty("resourceVersion").GetString()!);
        return string.Join(' ', versions);
    }
}
