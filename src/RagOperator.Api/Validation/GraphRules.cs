namespace RagOperator.Api.Validation;

/// <summary>Who depends on whom: known names, no cycle, one way in, nothing left over.</summary>
internal static class GraphRules
{
    public static void Check(SpecCandidate candidate, Findings findings)
    {
        var components = candidate.Components;
        if (components.Count is 0 or > SpecLimits.Components)
            return;
        var unknown = false;
        for (var i = 0; i < components.Count; i++)
        {
            var dependsOn = components[i].DependsOn ?? [];
            findings.AddDuplicates($"spec.components[{i}].dependsOn", "", dependsOn, "names");
            for (var d = 0; d < dependsOn.Count; d++)
            {
                if (candidate.Component(dependsOn[d]) is not null)
                    continue;
                unknown = true;
                findings.Add($"spec.components[{i}].dependsOn[{d}]", dependsOn[d], $"is no component; there are {string.Join(", ", components.Select(static c => c.Name))}");
            }
        }

        CheckEntry(candidate, findings, HasCycle(candidate, findings));
        // A misspelt name leaves another one over: that is one mistake, not two.
        if (!unknown)
            CheckReached(candidate, findings);
    }

    private static bool HasCycle(SpecCandidate candidate, Findings findings)
    {
        var found = false;
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        foreach (var component in candidate.Components)
            Visit(component.Name);
        return found;

        void Visit(string name)
        {
            if (candidate.Component(name) is not { } component || done.Contains(name))
                return;
            var again = path.IndexOf(name);
            if (again >= 0)
            {
                found = true;
                var index = candidate.Components.IndexOf(component);
                findings.Add($"spec.components[{index}].dependsOn", string.Join(" -> ", path[again..].Append(name)), "must not be a cycle");
                return;
            }

            path.Add(name);
            foreach (var next in component.DependsOn ?? [])
                Visit(next);
            path.RemoveAt(path.Count - 1);
            done.Add(name);
        }
    }

    private static void CheckEntry(SpecCandidate candidate, Findings findings, bool hasCycle)
    {
        if (candidate.Components.Count > 0 && candidate.Components.TrueForAll(static c => c.External is not null))
        {
            findings.Add("spec.components", null, "must hold a component with a template: something has to take the requests");
            return;
        }

        if (candidate.Spec.Traffic?.Component is { } named && candidate.Component(named) is null)
            findings.Add("spec.traffic.component", named, $"is no component; there are {candidate.WorkloadNames}");
        if (candidate.Spec.Traffic is { Component: null } && candidate.Roots is { Count: not 1 } roots && !(hasCycle && roots.Count == 0))
        {
            findings.Add("spec.traffic.component", null, roots.Count == 0
                ? $"must be named, because something depends on every component: one of {candidate.WorkloadNames}"
                : $"must be named, because nothing depends on more than one component: one of {string.Join(", ", roots.Select(static c => c.Name))}");
        }
    }

    private static void CheckReached(SpecCandidate candidate, Findings findings)
    {
        if (candidate.Entry is not { } entry)
            return;
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([entry.Name]);
        while (open.TryPop(out var name))
        {
            if (reached.Add(name))
                candidate.Component(name)?.DependsOn?.ForEach(open.Push);
        }

        for (var i = 0; i < candidate.Components.Count; i++)
        {
            var name = candidate.Components[i].Name;
            if (name.Length > 0 && !reached.Contains(name))
                findings.Add($"spec.components[{i}].name", name, $"is reached from nowhere: the traffic component {entry.Name} must depend on it, directly or through others");
        }
    }
}
