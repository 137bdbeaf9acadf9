using System.Text.Json;

namespace RagOperator.Engine.Releases;

/// <summary>The preimage of a release: all that it takes to build it again while Git names something else. Kept in a ControllerRevision,
/// immutable.</summary>
public sealed record ReleaseRecord
{
    /// <summary>The version of the algorithm that contents were hashed by.</summary>
    public int Algorithm { get; set; }

    /// <summary>Counts up: people can say it on a call.</summary>
    public long Number { get; set; }

    /// <summary>The release's short hash: 10 characters.</summary>
    public string Hash { get; set; } = "";

    /// <summary>The name of the component that requests enter by.</summary>
    public string Entry { get; set; } = "";

    /// <summary>Names of the components that get flag files, sorted.</summary>
    public List<string> DeliverTo { get; set; } = [];

    /// <summary>Names of the flags that the release was minted with, sorted.</summary>
    public List<string> Flags { get; set; } = [];

    /// <summary>The components, each one after all that it depends on.</summary>
    public List<ComponentRecord> Components { get; set; } = [];

    /// <summary>The component of this name, or null.</summary>
    /// <param name="name">The component's name.</param>
    public ComponentRecord? Component(string name) => Components.Find(c => string.Equals(c.Name, name, StringComparison.Ordinal));

    /// <summary>The components that are ours to run, in order.</summary>
    public IEnumerable<ComponentRecord> Workloads() => Components.Where(static c => c.Revision is not null);

    /// <summary>Whether the component gets flag files.</summary>
    /// <param name="component">The component's name.</param>
    public bool Receives(string component) => DeliverTo.Contains(component);
}

/// <summary>One component of a release.</summary>
public sealed record ComponentRecord
{
    /// <summary>The component's name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The hash of its content and of the contents that it depends on.</summary>
    public string Hash { get; set; } = "";

    /// <summary>The component revision's name, minted once: 10 characters; null for an external component.</summary>
    public string? Revision { get; set; }

    /// <summary>Names of the components that it depends on.</summary>
    public List<string> DependsOn { get; set; } = [];

    /// <summary>Whether it has a Service.</summary>
    public bool HasService { get; set; }

    /// <summary>What the user wrote for it, without what is no content: replicas, canaryReplicas, progressDeadline, metadata, minReadySeconds.</summary>
    public JsonElement Content { get; set; }
}
