using System.Globalization;
using RagOperator.Engine.Contracts;
using RagOperator.Engine.Tests.World;

namespace RagOperator.Engine.Tests.Properties;

/// <summary>One thing that happens in a random history.</summary>
/// <param name="After">How long after the one before.</param>
/// <param name="Text">What it is.</param>
/// <param name="Do">Does it.</param>
internal sealed record Happening(TimeSpan After, string Text, Action<Sim> Do)
{
    public override string ToString() => $"+{After.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)}s {Text}";
}

/// <summary>Random histories: edits, requests, hands on the route, failing pods, metrics and writes. The same seed is the same history.</summary>
internal static class History
{
    private const string Spec =
        """
        components:
          - name: embedder
            replicas: 2
            ports: [{name: http, port: 8003}]
            template: {spec: {containers: [{name: embedder, image: embedder:1}]}}
          - name: api
            dependsOn: [embedder]
            replicas: 3
            ports: [{name: http, port: 8000}]
            template: {spec: {containers: [{name: api, image: api:1}]}}
        traffic: {gatewayApi: {parentRefs: [{name: public}]}}
        featureFlags: {flags: [{name: a, enabled: true}, {name: b, enabled: false}]}
        rollout: {progressDeadline: 3m, retireDelay: 30s}
        rollback: {keepFailedPods: 3m, undoWindow: 20m}
        sla:
          interval: 30s
          noDataTimeout: 5m
          metrics:
            - {name: errors, query: 'errors{service="$(service)"}', limit: {max: 1%}}
            - {name: latency, query: 'latency{service="$(service)"}', limit: {maxIncrease: 100ms}, onBreach: Hold}
        """;

    private static readonly string[][] s_steps =
    [
        ["name: canary, weight: 5, hold: 1m", "name: half, weight: 50, hold: 1m, flags: [b]", "name: full, weight: 100, hold: 1m"],
        ["name: canary, weight: 10, hold: 1m, flags: [a]", "name: half, weight: 50, hold: 2m", "name: full, weight: 100, hold: 0s"],
        ["name: first, weight: 20, hold: 30s, approval: Required", "name: full, weight: 100, hold: 1m, flags: [a, b]"],
        ["name: half, weight: 30, hold: 1m, flags: [a]", "name: more, weight: 60, hold: 0s, flags: [b]", "name: full, weight: 100, hold: 1m"],
        ["name: full, weight: 100, hold: 1m"],
    ];

    private static readonly string[] s_images = ["api:1", "api:2", "api:3", "embedder:1", "embedder:2"];

    public static Sim Begin() => new(new SpecText(Spec).Steps(s_steps[0]));

    public static List<Happening> Make(int seed)
    {
        var random = new Random(seed);
        var length = random.Next(3, 14);
        return [.. Enumerable.Range(0, length).Select(_ => One(random))];
    }

    /// <summary>All faults stop, and everything is well again.</summary>
    public static void Mend(Sim sim)
    {
        sim.Faults = null;
        sim.Cluster.GatewayWorks(true);
        sim.Cluster.Refused.Clear();
        sim.Metrics.Everything = null;
        foreach (var image in s_images)
        {
            sim.Cluster.Heal(image);
            sim.Metrics.Set("errors", image, 0.001);
            sim.Metrics.Set("latency", image, 0.2);
        }

        sim.Edit(static s => s.Put("rollout.progressDeadline", "3m"));
    }

    private static Happening One(Random random)
    {
        var after = random.Next(4) switch
        {
            0 => TimeSpan.Zero,
            1 => TimeSpan.FromSeconds(random.Next(1, 10)),
            _ => TimeSpan.FromSeconds(random.Next(10, 240)),
        };
        var image = s_images[random.Next(s_images.Length)];
        var number = random.Next(100);
        var seed = random.Next();
        return random.Next(24) switch
        {
            <= 3 => new(after, $"api image {(number % 3) + 1}", s => s.Edit(x => x.Image("api", $"api:{(number % 3) + 1}"))),
            4 => new(after, $"embedder image {(number % 2) + 1}", s => s.Edit(x => x.Image("embedder", $"embedder:{(number % 2) + 1}"))),
            5 or 6 => new(after, $"flag {(number % 2 == 0 ? "a" : "b")} {number % 4 < 2}", s => s.Edit(x => x.Flag(number % 2 == 0 ? "a" : "b", number % 4 < 2))),
            7 => new(after, $"steps {number % s_steps.Length}", s => s.Edit(x => x.Steps(s_steps[number % s_steps.Length]))),
            8 => new(after, number % 3 == 0 ? "spec wrong" : "spec right", s => s.Edit(x => x.Put("rollout.progressDeadline", number % 3 == 0 ? "soon" : "3m"))),
            9 => new(after, $"api replicas {(number % 4) + 1}", s => s.Edit(x => x.Replicas("api", (number % 4) + 1))),
            <= 12 => Request(after, random, number),
            13 => new(after, $"{image} errors", s => s.Metrics.Set("errors", image, 0.2)),
            14 => number % 2 == 0
                ? new(after, $"{image} slow", s => s.Metrics.Set("latency", image, 0.9))
                : new(after, $"{image} well", s =>
                {
                    s.Metrics.Set("errors", image, 0.001);
                    s.Metrics.Set("latency", image, 0.2);
                }),
            15 => Outage(after, number),
            16 => number % 3 == 0
                ? new(after, $"{image} finds no room", s => s.Cluster.Pods(image).NoRoom = "no room")
                : new(after, $"{image} fails", s => s.Cluster.Fail(image)),
            17 => new(after, $"{image} heals", s => s.Cluster.Heal(image)),
            18 => new(after, $"a hand sets {number}%", s => Hand(s, number)),
            19 => new(after, $"gateway {number % 2 == 0}", s => s.Cluster.GatewayWorks(number % 2 == 0)),
            20 => number % 3 == 0
                ? new(after, "status wiped", static s =>
                {
                    s.Cluster.StatusText = null;
                    s.Cluster.StatusVersion++;
                })
                : new(after, $"away {number}s", s => s.Away(TimeSpan.FromSeconds(number))),
            21 => new(after, "status refused", static s => s.Faults = static w => w is null ? Fault.Refused : Fault.None),
            22 => new(after, "faults stop", static s => s.Faults = null),
            _ => new(after, $"faults {seed}", s =>
            {
                var faults = new Random(seed);
                s.Faults = w => faults.Next(4) > 0 ? Fault.None : (Fault)faults.Next(1, 6);
            }),
        };
    }

    private static Happening Request(TimeSpan after, Random random, int number)
    {
        string[] verbs = ["approve", "pause", "resume", "abort", "retry", "promote", "approve"];
        string[] steps = ["canary", "half", "full", "first", "more"];
        var verb = verbs[random.Next(verbs.Length)];
        var release = number % 3 == 0 ? $"{(number % 5) + 1}" : "current";
        var request = verb == "approve" ? $"{verb}/{release}/{steps[number % steps.Length]}" : $"{verb}/{release}";
        return new(after, request, s => s.Ask(request));
    }

    private static Happening Outage(TimeSpan after, int number) => (number % 5) switch
    {
        0 => new(after, "metrics silent", static s => s.Metrics.Everything = new MetricAnswer(AnswerKind.NoData)),
        1 => new(after, "metrics down", static s => s.Metrics.Everything = new MetricAnswer(AnswerKind.Error, Message: "refused")),
        2 => new(after, "metrics wrong", static s => s.Metrics.Everything = new MetricAnswer(AnswerKind.Invalid, Message: "parse error")),
        _ => new(after, "metrics answer", static s => s.Metrics.Everything = null),
    };

    private static void Hand(Sim sim, int number)
    {
        if (sim.Cluster.Route is not { Backends: { Count: 2 } backends } || sim.Cluster.Route.OwnerUid != sim.Cluster.Uid) return;
        sim.Cluster.Hand("kubectl-edit", (backends[0].Service, 100 - number), (backends[1].Service, number));
    }
}
