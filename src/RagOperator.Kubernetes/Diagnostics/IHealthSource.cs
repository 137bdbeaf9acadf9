namespace RagOperator.Kubernetes;

/// <summary>One part that can tell how it is.</summary>
public interface IHealthSource
{
    /// <summary>The part's name: lower case with dashes, unique.</summary>
    string Name { get; }

    /// <summary>How the part is now. Quick, and does no I/O.</summary>
    HealthReport Check();
}

/// <summary>How a part is.</summary>
/// <param name="Status">The verdict.</param>
/// <param name="Detail">Why, for people; no secrets.</param>
public readonly record struct HealthReport(HealthVerdict Status, string Detail);

/// <summary>How well a part works.</summary>
public enum HealthVerdict
{
    /// <summary>As it should.</summary>
    Healthy,

    /// <summary>Worse than it should, but not in need of a restart.</summary>
    Degraded,

    /// <summary>Not at all, and it will not get better by itself.</summary>
    Unhealthy,
}
