using System.Text.Json.Nodes;
using System.Threading.Channels;
using RagOperator.Abstractions;
using RagOperator.Abstractions.Models;

namespace RagOperator.Kubernetes;

/// <summary>Takes events in and lines them up for the writer.</summary>
internal sealed class EventRecorder(OperatorOptions options, KubernetesMetrics metrics, TimeProvider time) : IEventRecorder
{
    // As client-go. A full buffer means that the server does not answer; then news matter less than memory.
    private const int Capacity = 1000;

    private readonly Lock _lock = new();
    private readonly Channel<PendingEvent> _channel = Channel.CreateBounded<PendingEvent>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private DateTimeOffset _last;

    /// <summary>What is to be written, in order.</summary>
    public ChannelReader<PendingEvent> Pending => _channel.Reader;

    public void Publish(
        IKubernetesObject<V1ObjectMeta> entity, EventType type, string reason, string action, string note, string? traceId = null)
    {
        // Time and place in line under one lock: the times of a process rise as its events do.
        lock (_lock)
        {
            var pending = new PendingEvent(
                entity.ApiVersion ?? "",
                entity.Kind ?? "",
                entity.Namespace(),
                entity.Name(),
                entity.Uid(),
                type == EventType.Warning ? "Warning" : "Normal",
                EventText.Cut(reason, EventText.MaxWord),
                EventText.Cut(action.Length > 0 ? action : reason, EventText.MaxWord),
                EventText.Cut(note, EventText.MaxNote),
                traceId ?? ReconcileContext.Current?.TraceId,
                NextTime());
            if (!_channel.Writer.TryWrite(pending)) metrics.Events.Add(1, new KeyValuePair<string, object?>("outcome", "dropped"));
        }
    }

    /// <summary>No more events: the writer ends when it has written the rest.</summary>
    public void Complete() => _channel.Writer.TryComplete();

    /// <summary>The event's JSON.</summary>
    public JsonObject Body(PendingEvent e)
    {
        var metadata = new JsonObject { ["name"] = EventText.Name(e.Name, e.Time), ["namespace"] = NamespaceOf(e.Namespace) };
        if (e.TraceId is { } traceId) metadata["annotations"] = new JsonObject { [options.TraceIdAnnotation] = traceId };
        var regarding = new JsonObject { ["apiVersion"] = e.ApiVersion, ["kind"] = e.Kind, ["name"] = e.Name, ["uid"] = e.Uid };
        if (e.Namespace.Length > 0) regarding["namespace"] = e.Namespace;
        // The deprecated fields (first and last timestamp, count, source) must stay unset: the server refuses them in this version.
        return new JsonObject
        {
            ["apiVersion"] = Eventsv1Event.EntityMetadata.ApiVersion,
            ["kind"] = Eventsv1Event.EntityMetadata.Kind,
            ["metadata"] = metadata,
            ["eventTime"] = EventText.MicroTime(e.Time),
            ["reportingController"] = options.Name,
            ["reportingInstance"] = EventText.Cut(options.Instance, EventText.MaxWord),
            ["action"] = e.Action,
            ["reason"] = e.Reason,
            ["regarding"] = regarding,
            ["note"] = e.Note,
            ["type"] = e.Type,
        };
    }

    /// <summary>Events of cluster-scoped objects live in the default namespace.</summary>
    public static string NamespaceOf(string ns) => ns.Length == 0 ? "default" : ns;

    private DateTimeOffset NextTime()
    {
        var now = time.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        _last = now > _last ? now : _last.AddTicks(TimeSpan.TicksPerMicrosecond);
        return _last;
    }
}
