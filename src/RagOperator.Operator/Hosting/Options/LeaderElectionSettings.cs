using System.Text.RegularExpressions;
using RagOperator.Abstractions;
using RagOperator.Kubernetes;
using RagOperator.Kubernetes.LeaderElection;

namespace RagOperator.Operator.Hosting.Options;

/// <summary>What the configuration says about leader election. The rest depends on the cluster that is talked to.</summary>
internal sealed partial record LeaderElectionSettings
{
    /// <summary>Whether to take part in an election; null: in a pod yes, elsewhere no.</summary>
    public bool? Enabled { get; init; }

    /// <summary>The Lease's namespace; null: the pod's own, or the context's.</summary>
    public string? Namespace { get; init; }

    /// <summary>The Lease's name; null: one for each set of namespaces that is watched, so that operators with different ones do not wait for each other.</summary>
    public string? Name { get; init; }

    /// <summary>What the process is called in the Lease; random digits are appended in any case. Null: the host's name.</summary>
    public string? Identity { get; init; }

    /// <inheritdoc cref="LeaderElectionConfig.LeaseDuration"/>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <inheritdoc cref="LeaderElectionConfig.RenewDeadline"/>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="LeaderElectionConfig.RetryPeriod"/>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Reads the keys below <c>leaderElection</c>.</summary>
    public static LeaderElectionSettings Read(SettingReader read)
    {
        var defaults = new LeaderElectionSettings();
        var settings = new LeaderElectionSettings
        {
            Enabled = read.Text("leaderElection.enabled") is null ? null : read.Flag("leaderElection.enabled", false),
            Namespace = read.Text("leaderElection.namespace", SettingsLoader.IsLabel, "a namespace's name"),
            Name = read.Text("leaderElection.name", SettingsLoader.IsSubdomain, SettingsLoader.SubdomainRule),
            Identity = read.Text("leaderElection.identity", static i => IdentityForm().IsMatch(i), "letters, digits, dots, dashes and underscores, at most 100"),
            LeaseDuration = read.Duration("leaderElection.leaseDuration", defaults.LeaseDuration, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            RenewDeadline = read.Duration("leaderElection.renewDeadline", defaults.RenewDeadline, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
            RetryPeriod = read.Duration("leaderElection.retryPeriod", defaults.RetryPeriod, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)),
        };
        if (settings.Config(default, "").Problem is { } problem) read.Problems.Add(new("leaderElection", null, problem, null));
        return settings;
    }

    /// <summary>The election to take part in.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="cluster">The cluster that is talked to.</param>
    /// <param name="identity">This process.</param>
    /// <returns>Null: none, this process acts alone.</returns>
    public static LeaderElectionConfig? ConfigOf(HostSettings settings, KubernetesClientConfiguration cluster, string identity)
    {
        var election = settings.LeaderElection;
        // A context means a kubeconfig: somebody runs it by hand, one process, and would wait for the Lease of the one killed before.
        if (!(election.Enabled ?? (cluster.CurrentContext is null && KubernetesClientConfiguration.IsInCluster()))) return null;
        var name = election.Name ?? string.Join('.', settings.WatchNamespaces.Prepend("rag-operator"));
        return election.Config(new NamespacedName(election.Namespace ?? cluster.Namespace ?? "default", name), identity);
    }

    private LeaderElectionConfig Config(NamespacedName lease, string identity) => new()
    {
        Lease = lease,
        Identity = identity,
        LeaseDuration = LeaseDuration,
        RenewDeadline = RenewDeadline,
        RetryPeriod = RetryPeriod,
    };

    [GeneratedRegex("^[A-Za-z0-9]([-._A-Za-z0-9]{0,98}[A-Za-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex IdentityForm();
}
