using System.Text.Json;
using RagOperator.FaultTests.Worlds;
using RagOperator.TestBed.Faults;

namespace RagOperator.FaultTests.Oracles;

/// <summary>S1 to S7 of the safety page over what the API server accepted, judged from outside: from requests and answers alone.</summary>
/// <remarks>"In status" means: accepted by the server before the write in question was sent.</remarks>
public sealed class Invariants
{
    // The step that names the flag of ServiceSpec.
    private const int FlagStep = 1;
    private readonly IReadOnlyList<Deed> _deeds;
    private readonly ReleaseMap _releases;
    private readonly List<(int Order, StatusView Status)> _journal;
    private readonly int _apiReplicas;
    private readonly List<string> _broken = [];

    private Invariants(IReadOnlyList<Deed> deeds, int apiReplicas)
    {
        _deeds = [.. deeds.Where(d => d.Accepted && d.Call.Counts).OrderBy(d => d.Ended)];
        _releases = new ReleaseMap(_deeds);
        _apiReplicas = apiReplicas;
        _journal = [.. _deeds.Where(d => d.Call.Resource == "ragdeployments/status").Select(d => (d.Ended, new StatusView(d.Answer)))];
    }

    /// <summary>What was broken, one sentence each; empty if nothing was.</summary>
    /// <param name="deeds">All writes of all lives.</param>
    /// <param name="apiReplicas">How many pods stable's api is to keep.</param>
    /// <param name="canaryMayDie">Pods of the canary die in this run: it may have been available when the weight was decided.</param>
    public static IReadOnlyList<string> Broken(IReadOnlyList<Deed> deeds, int apiReplicas = 1, bool canaryMayDie = false)
    {
        var check = new Invariants(deeds, apiReplicas);
        check.Routes(canaryMayDie);
        check.Flags();
        check.Others();
        return check._broken;
    }

    private void Routes(bool canaryMayDie)
    {
        IReadOnlyList<IReadOnlyDictionary<string, int>> last = [];
        foreach (var deed in _deeds.Where(d => d.Call.Resource == "httproutes" && d.Call.Verb != "delete"))
        {
            var rules = RuleWeights.Of(deed.Answer);
            var status = StatusBefore(deed);
            var witness = deed.Witness as Witness;
            if (witness is null)
                Break("S3", deed, "nobody looked at the world before it");
            // What a hand wrote in between is seen by the witness alone.
            var before = witness?.Weights ?? last;
            for (var rule = 0; rule < rules.Count; rule++)
            {
                var now = rules[rule];
                if (now.Values.Sum() != 100)
                    Break("S4", deed, $"weights of rule {rule} sum to {now.Values.Sum()}");
                foreach (var missing in now.Keys.Where(s => witness is not null && !witness.Services.ContainsKey(s)))
                    Break("S4", deed, $"backend {missing} does not exist");
                var was = rule < before.Count ? before[rule] : null;
                foreach (var (service, weight) in now.Where(b => b.Value > (was?.GetValueOrDefault(b.Key) ?? 0)))
                    Raised(deed, service, weight, status, witness, canaryMayDie);
            }

            last = rules;
        }
    }

    private void Raised(Deed deed, string service, int weight, StatusView status, Witness? witness, bool canaryMayDie)
    {
        if (status.Stable.Length == 0 && status.StepIndex < 0)
            return; // a first install
        if (_releases.EntryService(status.Stable) == service)
        {
            if (deed.Call.Verb == "patch" && witness?.Services.GetValueOrDefault(service) == 0)
                Break("S3", deed, $"stable {service} gets weight back without a ready address");
            return;
        }

        if (_releases.EntryService(status.Canary) != service)
            Break("S1", deed, $"{service} rises to {weight} and is not the canary that status names");
        else if (weight > status.StepWeight)
            Break("S1", deed, $"{weight}% in step {status.StepName} of {status.StepWeight}%");
        if (status.Failed.Length > 0 && _releases.EntryService(status.Failed) == service)
            Break("S2", deed, $"{service} rises to {weight} and was taken back");
        if (witness is null || canaryMayDie)
            return;
        if (witness.Services.GetValueOrDefault(service) == 0)
            Break("S3", deed, $"canary {service} gets {weight}% without a ready address");
        foreach (var deployment in _releases.Deployments(status.Canary))
        {
            if (!witness.Deployments.TryGetValue(deployment, out var pods))
                Break("S3", deed, $"canary {service} gets {weight}% without {deployment}");
            else if (pods.Available < pods.Wanted || pods.Wanted < 1)
                Break("S3", deed, $"canary {service} gets {weight}% with {pods.Available} of {pods.Wanted} pods of {deployment} available");
        }
    }

    private void Flags()
    {
        var on = new HashSet<string>(StringComparer.Ordinal);
        var ever = new HashSet<string>(StringComparer.Ordinal);
        foreach (var deed in _deeds)
        {
            var name = deed.Call.Name;
            if (deed.Call.Verb == "delete")
            {
                if (deed.Call.Resource == "configmaps")
                    on.Remove(name);
                else if (deed.Call.Resource == "deployments" && on.Contains($"{name}-flags") && StatusBefore(deed) is { Failed.Length: > 0 } after
                    && _releases.Deployments(after.Failed).Contains(name) && !IsServedBy(after.Stable, on))
                    Break("S6", deed, "a release that was taken back goes, and its flags were never switched off");
                continue;
            }

            if (deed.Call.Resource != "configmaps")
                continue;
            var isOn = deed.Answer.TryGetProperty("data", out var data) && data.TryGetProperty("flags.env", out var env)
                && env.GetString()!.Contains("FEATURE_REPLAY=true", StringComparison.Ordinal);
            if (!isOn)
                on.Remove(name);
            else if (on.Add(name))
                TurnedOn(deed, StatusBefore(deed), isNew: ever.Add(name), on);
        }
    }

    /// <summary>Whether a release has the flag on by what was written so far: what stable serves already is no news of a canary.</summary>
    private bool IsServedBy(string release, HashSet<string> on) => on.Overlaps(_releases.Children(release));

    private void TurnedOn(Deed deed, StatusView status, bool isNew, HashSet<string> on)
    {
        if (status.DisablesFlag)
            Break("S6", deed, "a flag goes on that spec switches off for everybody");
        if (status.Stable.Length == 0)
            return;
        if (_releases.Children(status.Stable).Contains(deed.Call.Name))
        {
            // Given back to it, never new: a release becomes stable with the flags that it was judged with.
            if (isNew)
                Break("S6", deed, "a flag goes on for stable that it was not promoted with");
        }
        else if (!_releases.Children(status.Canary).Contains(deed.Call.Name))
            Break("S6", deed, "a flag goes on for a release that is neither stable nor canary");
        else if (IsServedBy(status.Stable, on))
            return;
        else if (status.StepIndex < FlagStep || (status.StepIndex == FlagStep && status.StepState is not ("Holding" or "Waiting")))
            Break("S6", deed, $"a flag goes on in step {status.StepName} {status.StepState}");
    }

    private void Others()
    {
        foreach (var deed in _deeds)
        {
            var status = StatusBefore(deed);
            var kind = deed.Call.Kind;
            var ours = kind == "ragdeployments" ? deed.Call.Name == "assistant" : deed.Call.Name.StartsWith("assistant", StringComparison.Ordinal);
            if (!ours || !IsOwned(deed))
                Break("S7", deed, "it is not ours");
            if (deed.Call.Verb == "delete" && kind is "deployments" or "services" or "configmaps"
                && (_releases.Children(status.Stable).Contains(deed.Call.Name) || _releases.Children(status.Canary).Contains(deed.Call.Name)))
                Break("S5", deed, "what stable or canary needs is deleted");
            if (deed.Call is { Verb: "delete", Resource: "services" or "deployments" or "configmaps" })
                Deleted(deed);
            if (deed.Call is { Verb: "patch", Resource: "deployments" })
                Scaled(deed, status);
            if (deed.Call is { Verb: "create", Resource: "deployments" })
                Fewer(deed, status, JsonElement.Parse(deed.Body.Span).GetProperty("spec"));
        }
    }

    /// <summary>Whatever status says of a release: as long as the route sends requests to it, all of it is needed.</summary>
    private void Deleted(Deed deed)
    {
        if (deed.Witness is not Witness { Weights: var rules })
        {
            Break("S5", deed, "nobody looked at the route before it");
            return;
        }

        if (deed.Call.Resource == "services" && rules.Any(r => r.ContainsKey(deed.Call.Name)))
            Break("S4", deed, "the route names it");
        if (rules.SelectMany(static r => r).FirstOrDefault(b => b.Value > 0 && _releases.NeededBy(b.Key).Contains(deed.Call.Name)) is { Key: { } service, Value: var weight })
            Break("S5", deed, $"the route gives {weight} to {service}, which needs it");
    }

    /// <summary>Whether what the server answered with (each child, whole) names a RagDeployment as its owner.</summary>
    private static bool IsOwned(Deed deed) =>
        deed.Call.Kind == "ragdeployments" || deed.Call.Verb == "delete" || !deed.Answer.TryGetProperty("metadata", out var metadata)
        || (metadata.TryGetProperty("ownerReferences", out var owners) && owners.EnumerateArray().Any(o => o.GetProperty("kind").GetString() == "RagDeployment"));

    private void Scaled(Deed deed, StatusView status)
    {
        var body = JsonElement.Parse(deed.Body.Span);
        if (!body.TryGetProperty("spec", out var spec))
            return;
        if (spec.EnumerateObject().Select(p => p.Name).FirstOrDefault(n => n != "replicas") is { } other)
            Break("S5", deed, $"it changes {other} of a Deployment, which restarts pods");
        Fewer(deed, status, spec);
    }

    private void Fewer(Deed deed, StatusView status, JsonElement spec)
    {
        var wanted = deed.Call.Name.StartsWith("assistant-api-", StringComparison.Ordinal) ? _apiReplicas : 1;
        if (spec.TryGetProperty("replicas", out var replicas) && replicas.GetInt32() < wanted && _releases.Children(status.Stable).Contains(deed.Call.Name))
            Break("S3", deed, $"stable gets {replicas.GetInt32()} of {wanted} pods");
    }

    /// <summary>The status that the server held when a write was sent.</summary>
    private StatusView StatusBefore(Deed deed) => _journal.LastOrDefault(entry => entry.Order < deed.Began).Status ?? new StatusView(null);

    private void Break(string rule, Deed deed, string what) => _broken.Add($"{rule}: {what}: {deed}");
}
