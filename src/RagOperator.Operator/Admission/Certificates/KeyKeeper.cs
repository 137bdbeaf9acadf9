using System.Text.Json.Nodes;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;
using RagOperator.Kubernetes;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>Keeps the Secret as <see cref="KeyPlan"/> wants it, this process' certificate and stamps as the Secret says, and the webhook configurations
/// as both. Every process does so, also a standby: of two that write at once the API server takes one, and the other reads again.</summary>
internal sealed partial class KeyKeeper(
    IKubernetesClient client,
    NamespacedName secret,
    KeyPlan plan,
    WebhookConfigurations? configurations,
    ServingCertificate? serving,
    RequestStamps stamps,
    KeyMetrics metrics,
    TimeProvider time,
    ILogger<KeyKeeper> logger) : IHealthSource
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    // A watch tells of each change; this is for what it may have missed.
    private static readonly TimeSpan Patrol = TimeSpan.FromHours(1);
    // Two operators that were given the same configurations by mistake take turns at writing them, but not as fast as they can.
    private static readonly TimeSpan TellPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RacePause = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<Type, long> _toldAt = [];
    private volatile string? _trouble = "nothing was read yet";
    private int _failures;

    /// <inheritdoc/>
    public string Name => "webhook-keys";

    /// <inheritdoc/>
    public HealthReport Check() => _trouble is { } trouble
        ? new(HealthVerdict.Degraded, trouble)
        : new(HealthVerdict.Healthy, serving?.EndsAt is { } end ? $"certificate until {end:u}" : "");

    /// <summary>One look, with what has to be written. Whatever goes wrong is logged, counted and shown: rollouts go on without the webhook, and must not end for it.</summary>
    /// <returns>When to look again, if nothing happens before; never negative.</returns>
    public async Task<TimeSpan> PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            var pause = await LookAsync(cancellationToken);
            return pause > TimeSpan.Zero ? pause : TimeSpan.Zero;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // whatever it is, the next look may go well
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Failed($"{e.GetType().Name}: {e.Message}", e);
        }
    }

    private async Task<TimeSpan> LookAsync(CancellationToken cancellationToken)
    {
        var read = await client.GetAsync<V1Secret>(secret, cancellationToken);
        if (!read.IsSuccess && read.Reason != ApiReason.NotFound) return Failed(read);
        var (found, unread) = configurations is null ? ([], null) : await configurations.ReadAsync(cancellationToken);
        var now = time.GetUtcNow();
        var before = WebhookKeys.Of(read.Value);
        var (wanted, again) = plan.Next(before, a => unread is null && found.All(c => WebhookConfigurations.Trusts(c, a)), now);
        if (await WriteAsync(read.Value, before, wanted, cancellationToken) is { } written)
            return written.Reason is ApiReason.Conflict or ApiReason.AlreadyExists or ApiReason.NotFound ? RacePause : written.IsSuccess ? TimeSpan.Zero : Failed(written);

        Adopt(wanted);
        var refused = unread;
        var left = again - now < Patrol ? again - now : Patrol;
        foreach (var configuration in found.Where(c => !WebhookConfigurations.Has(c, wanted.Bundle)))
        {
            if (_toldAt.TryGetValue(configuration.GetType(), out var told) && time.GetElapsedTime(told) is var since && since < TellPause)
            {
                left = TellPause - since;
                continue;
            }

            var answer = await configurations!.TellAsync(configuration, wanted.Bundle, cancellationToken);
            if (answer.IsSuccess) _toldAt[configuration.GetType()] = time.GetTimestamp();
            else if (answer.Reason is ApiReason.Conflict or ApiReason.NotFound) return RacePause;
            else refused ??= answer;
        }

        if (refused is not null) return Failed(refused);
        _failures = 0;
        _trouble = null;
        return left;
    }

    /// <summary>Writes what is new. Nothing is used before it is written: what one process made and no other knows proves nothing.</summary>
    /// <returns>The answer; null where there is nothing to write.</returns>
    private async Task<ApiResult?> WriteAsync(V1Secret? current, WebhookKeys before, WebhookKeys wanted, CancellationToken cancellationToken)
    {
        var held = before.Entries();
        var entries = wanted.Entries();
        if (current is not null && entries.SequenceEqual(held)) return null;
        var data = new JsonObject();
        foreach (var (name, value) in entries)
        {
            if (value is not null) data[name] = value;
            else if (current?.Data?.ContainsKey(name) == true) data[name] = null;
        }

        ApiResult answer;
        if (current is null)
        {
            var body = new JsonObject { ["metadata"] = new JsonObject { ["name"] = secret.Name, ["namespace"] = secret.Namespace }, ["type"] = "Opaque", ["data"] = data };
            answer = await client.CreateAsync<V1Secret>(body, secret.Namespace, cancellationToken: cancellationToken);
        }
        else
        {
            var body = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = current.Uid(), ["resourceVersion"] = current.ResourceVersion() }, ["data"] = data };
            answer = await client.MergePatchAsync<V1Secret>(body, secret, cancellationToken: cancellationToken);
        }

        if (!answer.IsSuccess) return answer;
        if (before.Authority?.Certificate != wanted.Authority?.Certificate) LogAuthority(logger, secret);
        if (before.Serving?.Certificate != wanted.Serving?.Certificate) LogServing(logger, secret);
        return answer;
    }

    private void Adopt(WebhookKeys keys)
    {
        if (keys.StampKey is { } key) stamps.Use(key);
        if (serving is null || keys.Serving is null) return;
        if (serving.Use(keys.Serving)) LogServed(logger, serving.EndsAt!.Value);
    }

    private TimeSpan Failed(ApiResult answer) => Failed(answer.ToString(), null);

    private TimeSpan Failed(string why, Exception? unforeseen)
    {
        metrics.Failed();
        var trouble = Sla.ShortText.Clean(why);
        if (trouble != _trouble) LogFailed(logger, unforeseen, trouble);
        _trouble = trouble;
        var pause = FirstPause * Math.Pow(2, Math.Min(_failures++, 10));
        return pause < LongestPause ? pause : LongestPause;
    }

    [LoggerMessage(310, LogLevel.Information, "Made a certificate authority for the webhook, kept in Secret {Secret}")]
    private static partial void LogAuthority(ILogger logger, NamespacedName secret);

    [LoggerMessage(311, LogLevel.Information, "Made a serving certificate for the webhook, kept in Secret {Secret}")]
    private static partial void LogServing(ILogger logger, NamespacedName secret);

    [LoggerMessage(312, LogLevel.Information, "The webhook is served with a certificate that ends at {End:u}")]
    private static partial void LogServed(ILogger logger, DateTimeOffset end);

    [LoggerMessage(314, LogLevel.Error, "The webhook's keys cannot be kept: {Trouble}; what is known already stays in use")]
    private static partial void LogFailed(ILogger logger, Exception? unforeseen, string trouble);
}
