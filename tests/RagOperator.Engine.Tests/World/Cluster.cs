using System.Text.Json;
using System.Text.RegularExpressions;
using RagOperator.Abstractions.Models;
using RagOperator.Api;
using RagOperator.Api.Resolved;
using RagOperator.Api.V1Alpha1;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Releases;

namespace RagOperator.Engine.Tests.World;

/// <summary>A cluster in memory: what the writes did, how pods start and how a gateway follows, as time goes by.</summary>
internal sealed partial class Cluster
{
    public const string Namespace = "rag";

    private readonly Dictionary<string, PodBehavior> _behaviors = new(StringComparer.Ordinal);
    private readonly List<(DateTimeOffset At, Action Do)> _later = [];
    private readonly Dictionary<string, ResolvedSpec?> _policies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ReleaseRecord> _records = new(StringComparer.Ordinal);
    private SpecReading? _reading;
    private string? _statusText;
    private int _uids;

    public Cluster(string name, JsonElement spec)
    {
        Name = name;
        Spec = spec;
        Uid = NewUid();
    }

    public string Name { get; }

    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // The object itself.
    public string Uid { get; private set; }

    public bool Exists { get; set; } = true;

    public long Generation { get; private set; } = 1;

    public JsonElement Spec { get; private set; }

    public string? Request { get; set; }

    /// <summary>The status as JSON text: what is not written in it is lost.</summary>
    public string? StatusText
    {
        get => _statusText;
        set
        {
            _statusText = value;
            Status = value is null ? null : JsonSerializer.Deserialize(value, ApiJsonContext.Default.RagDeploymentStatus);
        }
    }

    public RagDeploymentStatus? Status { get; private set; }

    /// <summary>Counts changes of status by whomever.</summary>
    public int StatusVersion { get; set; }

    // Its children.
    public Dictionary<string, SimDeployment> Deployments { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SimService> Services { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SimFlags> FlagMaps { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SimRecord> Records { get; } = new(StringComparer.Ordinal);

    public SimRoute? Route { get; set; }

    public Dictionary<string, int> Externals { get; } = new(StringComparer.Ordinal);

    // How it behaves.
    public TimeSpan? GatewayDelay { get; set; } = TimeSpan.FromSeconds(2);

    public string? ParentMessage { get; set; }

    /// <summary>Whether the gateway says of any version of the route that it is accepted, and never of which.</summary>
    public bool GatewayIsUndated { get; set; }

    public bool RouteKindKnown { get; set; } = true;

    /// <summary>A hostname that the API server refuses in a route; null: none.</summary>
    public string? RefusedHostname { get; set; }

    /// <summary>What the API server says to a dry run of a release with this image; no entry: it is fine.</summary>
    public Dictionary<string, string> Refused { get; } = new(StringComparer.Ordinal);

    public PodBehavior Pods(string image)
    {
        if (!_behaviors.TryGetValue(image, out var behavior))
            _behaviors[image] = behavior = new PodBehavior();
        return behavior;
    }

    public SpecReading Reading => _reading ??= Read(Spec);

    public void Apply(JsonElement spec)
    {
        if (spec.GetRawText() == Spec.GetRawText()) return;
        Spec = spec;
        _reading = null;
        Generation++;
    }

    /// <summary>Pods of this image fail from now on, those that run too.</summary>
    public void Fail(string image, string message = "CrashLoopBackOff")
    {
        Pods(image).Fails = message;
        Pods(image).FailedAt = Now;
    }

    /// <summary>Pods of this image do not answer their probes any more; none of their containers ended.</summary>
    public void Mute(string image) => Pods(image).Fails = "not ready";

    /// <summary>Somebody takes pods of this image away: others start in their place.</summary>
    public void Evict(string image)
    {
        foreach (var pod in Deployments.Values.Where(d => d.Image == image).SelectMany(static d => d.Pods))
            pod.ReadyAt = Pods(image).NoRoom is null ? Now + Pods(image).Start : null;
    }

    /// <summary>Pods of this image are well again: each one starts anew.</summary>
    public void Heal(string image)
    {
        var behavior = Pods(image);
        behavior.Fails = null;
        behavior.FailedAt = null;
        behavior.NoRoom = null;
        foreach (var pod in Deployments.Values.Where(d => d.Image == image).SelectMany(static d => d.Pods))
            pod.ReadyAt = Now + behavior.Start;
    }

    public int Available(SimDeployment deployment)
    {
        var behavior = Pods(deployment.Image);
        return behavior.Fails is not null ? 0 : deployment.Pods.Count(p => p.ReadyAt <= Now);
    }

    public int Addresses(SimService service) => Deployments.Values
        .Where(d => d.Component == service.Component && d.Revision == service.Revision).Sum(Available);

    public void Scale(SimDeployment deployment, int replicas)
    {
        var behavior = Pods(deployment.Image);
        while (deployment.Pods.Count < replicas)
            deployment.Pods.Add(new SimPod { Born = Now, ReadyAt = behavior.NoRoom is null || deployment.Pods.Count < behavior.RoomFor ? Now + behavior.Start : null });
        while (deployment.Pods.Count > replicas)
            deployment.Pods.RemoveAt(deployment.Pods.Count - 1);
        deployment.Version++;
    }

    /// <summary>The route has a new generation: the gateway takes it in its own time.</summary>
    public void RouteChanged()
    {
        Route!.Version++;
        Route.Generation++;
        Route.VerifiedAt = Now + GatewayDelay;
    }

    public void GatewayWorks(bool works, string? message = null)
    {
        GatewayDelay = works ? TimeSpan.FromSeconds(2) : null;
        ParentMessage = works ? null : message ?? "NoMatchingParent";
        if (Route is { } route) route.VerifiedAt = works ? Now + GatewayDelay : null;
    }

    /// <summary>Somebody sets the weights by hand.</summary>
    public void Hand(string who, params (string Service, int Weight)[] weights)
    {
        Route!.Backends = [.. weights.Select(static w => new Backend(w.Service, w.Weight))];
        Route.Differing = [];
        Route.ForeignWriter = who;
        RouteChanged();
    }

    /// <summary>Somebody sets the weights of the second rule by hand.</summary>
    public void HandOnSecondRule(string who, params (string Service, int Weight)[] weights)
    {
        Route!.Differing = [.. weights.Select(static w => new Backend(w.Service, w.Weight))];
        Route.ForeignWriter = who;
        RouteChanged();
    }

    /// <summary>The object is deleted; its children follow a little later, or stay behind without owner.</summary>
    public void Delete(bool orphan)
    {
        Exists = false;
        StatusText = null;
        StatusVersion++;
        Request = null;
        if (orphan)
        {
            foreach (var child in Children().Where(c => c.OwnerUid == Uid)) child.OwnerUid = null;
        }
        else
        {
            var gone = Uid;
            _later.Add((Now + TimeSpan.FromSeconds(5), () => Collect(gone)));
        }
    }

    /// <summary>The object is created again under the same name.</summary>
    public void Create(JsonElement spec)
    {
        Exists = true;
        Uid = NewUid();
        Generation = 1;
        Spec = spec;
        _reading = null;
    }

    public IEnumerable<SimChild> Children() =>
        Deployments.Values.Cast<SimChild>().Concat(Services.Values).Concat(FlagMaps.Values).Concat(Records.Values).Concat(Route is { } r ? [r] : []);

    /// <summary>What happens by itself at this time.</summary>
    public void Tick()
    {
        foreach (var (at, act) in _later.Where(l => l.At <= Now).ToList())
        {
            _later.RemoveAll(l => l.Do == act);
            act();
        }
    }

    /// <summary>When something next happens by itself, after now.</summary>
    public DateTimeOffset? Next() => _later.Select(static l => (DateTimeOffset?)l.At)
        .Concat(Deployments.Values.SelectMany(static d => d.Pods).Select(static p => p.ReadyAt))
        .Append(Route?.VerifiedAt).Where(t => t > Now).DefaultIfEmpty(null).Min();

    public Observed Observe() => new()
    {
        Releases = [.. Records.Values.Where(static r => r.Release is not null).Select(ViewRelease)],
        Policies = [.. Records.Values.Where(static r => r.Release is null)
            .Select(r => new PolicyView { Name = r.Name, Uid = r.Uid, ResourceVersion = V(r), Owner = OwnerOf(r), Spec = PolicyOf(r) })],
        Deployments = Deployments.Values.ToDictionary(static d => d.Name, View),
        Services = Services.Values.ToDictionary(static s => s.Name, s => new ServiceView
        {
            Name = s.Name,
            Uid = s.Uid,
            ResourceVersion = V(s),
            Owner = OwnerOf(s),
            SelectorComponent = s.Component,
            SelectorRevision = s.Revision,
            Port = 8000,
            Release = s.Release,
        }),
        FlagMaps = FlagMaps.Values.ToDictionary(static f => f.Name, f => new FlagsView
        {
            Name = f.Name,
            Uid = f.Uid,
            ResourceVersion = V(f),
            Owner = OwnerOf(f),
            Component = f.Component,
            Revision = f.Revision,
            Flags = f.Flags,
        }),
        ReadyAddresses = Services.Values.ToDictionary(static s => s.Name, Addresses),
        RouteKindKnown = RouteKindKnown,
        Route = Route is { } route
            ? new RouteView
            {
                Name = route.Name,
                Uid = route.Uid,
                ResourceVersion = V(route),
                Owner = OwnerOf(route),
                Backends = [.. route.Backends],
                Differing = route.Differing.Count > 0 ? [route.Differing] : [],
                Drifted = route.Drifted || route.Differing.Count > 0,
                Generation = route.Generation,
                Verified = route.VerifiedAt <= Now && !GatewayIsUndated,
                Undated = GatewayIsUndated && route.VerifiedAt is not null,
                Problem = ParentMessage,
                ForeignWriter = route.ForeignWriter,
                RolledBack = route.RolledBack,
            }
            : null,
    };

    public string ImageOf(ReleaseRecord release, string component) =>
        release.Component(component) is { Revision: not null } c ? Image(c.Content) : "";

    public static string Image(JsonElement content) =>
        content.GetProperty("template").GetProperty("spec").GetProperty("containers")[0].GetProperty("image").GetString()!;

    /// <summary>The image behind a Service, by name; empty where there is none.</summary>
    public string ImageOf(string service) => Deployments.TryGetValue(service, out var d) ? d.Image : "";

    /// <summary>Percent of the requests that a Service gets by the route.</summary>
    public int WeightOf(string service) => Route?.Backends.Where(b => b.Service == service).Sum(static b => b.Weight) ?? 0;

    public SpecReading Read(JsonElement spec) =>
        SpecReader.Read(new RagDeployment { Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = Namespace }, Spec = spec }, Catalog.Instance);

    [GeneratedRegex("service=\"([^\"]+)\"")]
    public static partial Regex ServiceIn();

    private ReleaseView ViewRelease(SimRecord record)
    {
        if (!_records.TryGetValue(record.Uid, out var read))
        {
            var text = JsonSerializer.Serialize(record.Release!, EngineJsonContext.Default.ReleaseRecord);
            _records[record.Uid] = read = JsonSerializer.Deserialize(text, EngineJsonContext.Default.ReleaseRecord)!;
        }

        return new ReleaseView
        {
            Name = record.Name,
            Uid = record.Uid,
            ResourceVersion = V(record),
            Owner = OwnerOf(record),
            Record = read,
            Failed = record.Failed,
            Struck = record.Struck,
        };
    }

    private DeploymentView View(SimDeployment deployment)
    {
        var behavior = Pods(deployment.Image);
        var available = Available(deployment);
        var short_ = available < deployment.Replicas;
        return new DeploymentView
        {
            Name = deployment.Name,
            Uid = deployment.Uid,
            ResourceVersion = V(deployment),
            Owner = OwnerOf(deployment),
            Component = deployment.Component,
            Revision = deployment.Revision,
            Replicas = deployment.Replicas,
            Available = available,
            CapacityProblem = short_ && !behavior.IsGate && deployment.Pods.Exists(static p => p.ReadyAt is null) ? behavior.NoRoom : null,
            GateProblem = short_ && behavior.IsGate && deployment.Pods.Exists(static p => p.ReadyAt is null) ? behavior.NoRoom : null,
            HasPodsOnTheirOwn = short_ && deployment.Pods.Exists(p => p.ReadyAt > Now || (p.ReadyAt is not null && behavior.Fails is not null)),
            PodProblem = short_ ? behavior.Fails : null,
            LivePods = short_ ? deployment.Pods.Count : null,
            Crash = short_ && behavior is { Fails: { } fails, FailedAt: { } at } ? new PodCrash(at, fails) : null,
        };
    }

    private ResolvedSpec? PolicyOf(SimRecord record)
    {
        if (!_policies.TryGetValue(record.Name, out var spec))
            _policies[record.Name] = spec = Read(record.Policy).Spec;
        return spec;
    }

    private Ownership OwnerOf(SimChild child) => child.OwnerUid is null ? Ownership.Orphan
        : child.OwnerUid == Uid ? Ownership.Ours
        : child.OwnerUid.StartsWith("uid-", StringComparison.Ordinal) ? Ownership.EarlierUid
        : Ownership.Foreign;

    private void Collect(string uid)
    {
        Remove(Deployments, uid);
        Remove(Services, uid);
        Remove(FlagMaps, uid);
        Remove(Records, uid);
        if (Route?.OwnerUid == uid) Route = null;
    }

    private static void Remove<T>(Dictionary<string, T> children, string uid)
        where T : SimChild
    {
        foreach (var child in children.Values.Where(c => c.OwnerUid == uid).ToList()) children.Remove(child.Name);
    }

    private string NewUid() => $"uid-{++_uids}";

    private static string V(SimChild child) => $"{child.Version}";

    internal sealed class Catalog : IMetricCatalog
    {
        public static Catalog Instance { get; } = new();

        public IReadOnlyCollection<string> Presets { get; } = [.. MetricPresets.BuiltIn.Keys];

        public IReadOnlyCollection<string> SourcesFor(string namespaceName) => ["default"];

        public bool SourceExists(string name) => name == "default";

        public string? PresetQuery(string name) => MetricPresets.BuiltIn.GetValueOrDefault(name);
    }
}
