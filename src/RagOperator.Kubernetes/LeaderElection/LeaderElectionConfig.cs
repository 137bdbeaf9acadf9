using System.Security.Cryptography;
using RagOperator.Abstractions;

namespace RagOperator.Kubernetes.LeaderElection;

/// <summary>How several processes agree on one leader: by a Lease. Names and defaults as in client-go and the C# client.</summary>
public sealed record LeaderElectionConfig
{
    /// <summary>How much longer than <see cref="RetryPeriod"/> a pause between two tries may be, as a factor; client-go's JitterFactor.</summary>
    public const double JitterFactor = 1.2;

    /// <summary>The Lease. It is created when it is not there; its namespace is not.</summary>
    public required NamespacedName Lease { get; init; }

    /// <summary>This process, unique: no other process may ever use it, not even this one's successor. See <see cref="UniqueIdentity"/>.</summary>
    public required string Identity { get; init; }

    /// <summary>How long others wait for a leader that is silent; whole seconds, since the Lease counts in them. 15 s.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a leader goes on after its last successful renewal, counted from when that was sent. 10 s.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From one renewal to the next, and the least pause between two tries. 2 s.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Time limit of one request: less than LeaseDuration - RenewDeadline, so that a renewal that hangs is over before anybody else may lead;
    /// and short enough that two fit into the deadline.
    /// </summary>
    public TimeSpan RequestTimeout
    {
        get
        {
            var (slack, half) = (LeaseDuration - RenewDeadline, RenewDeadline / 2);
            return (slack < half ? slack : half) * 0.8;
        }
    }

    /// <summary>What is wrong with the durations together, for people; null when nothing is.</summary>
    public string? Problem =>
        LeaseDuration < TimeSpan.FromSeconds(1) || LeaseDuration.Ticks % TimeSpan.TicksPerSecond != 0 ? "leaseDuration must be whole seconds, at least 1s"
        : RetryPeriod <= TimeSpan.Zero ? "retryPeriod must be longer than 0s"
        : RenewDeadline >= LeaseDuration ? "renewDeadline must be shorter than leaseDuration"
        : RetryPeriod * JitterFactor >= RenewDeadline ? "retryPeriod times 1.2 must be shorter than renewDeadline"
        : null;

    /// <summary>An identity that no other process has: the name and random digits, since a restarted pod keeps its name.</summary>
    /// <param name="name">What people know the process by; the host's name by default, in a pod that is the pod's.</param>
    public static string UniqueIdentity(string? name = null) =>
        $"{name ?? Environment.GetEnvironmentVariable("HOSTNAME") ?? Environment.MachineName}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
}
