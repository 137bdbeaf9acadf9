namespace RagOperator.Api;

/// <summary>Bounds of a spec, the same in the CRD and in the operator's own validation.</summary>
public static class SpecLimits
{
    /// <summary>Components at most.</summary>
    public const int Components = 50;

    /// <summary>Flags at most.</summary>
    public const int Flags = 100;

    /// <summary>Steps at most.</summary>
    public const int Steps = 50;

    /// <summary>Metrics at most.</summary>
    public const int Metrics = 50;

    /// <summary>Ports of one component at most.</summary>
    public const int Ports = 20;

    /// <summary>Characters of a query at most.</summary>
    public const int QueryLength = 4096;

    /// <summary>Characters of a DNS label at most.</summary>
    public const int NameLength = 63;

    /// <summary>Characters of an object's name at most: its children are named <c>name-component-revision</c> within 63.</summary>
    public const int ObjectNameLength = NameLength - ApiConstants.RevisionLength - 3;

    /// <summary>Pods of a component at most.</summary>
    public const int Replicas = 10_000;

    /// <summary>Seconds that a pod must be ready at most: the API server wants it below a Deployment's own deadline, which is 600 s.</summary>
    public const int MinReadySeconds = 599;

    /// <summary>Labels, and annotations, for generated objects at most.</summary>
    public const int MetadataKeys = 50;

    /// <summary>Characters of an annotation for generated objects at most.</summary>
    public const int AnnotationLength = 4096;

    /// <summary>Characters of the name of a container's port at most.</summary>
    public const int PortNameLength = 15;

    /// <summary>Breaches in a row at most.</summary>
    public const int FailAfter = 100;

    /// <summary>Characters of a shown value at most; what is longer is cut.</summary>
    public const int ShownLength = 120;

    /// <summary>Characters of a field's path that is shown at most.</summary>
    public const int ShownPathLength = 200;

    /// <summary>Characters of a rule that is shown at most: some name what there is to choose from.</summary>
    public const int ShownRuleLength = 2000;

    /// <summary>Problems of one spec that are told at most.</summary>
    public const int Problems = 1000;

    /// <summary>Items of one list that are looked at. More than any list may have, so that a longer one is refused all the same.</summary>
    public const int ItemsRead = 1000;

    /// <summary>Bytes of a spec at most, as JSON: as much as kubectl apply can take.</summary>
    public const int Bytes = 256 << 10;

    /// <summary>Levels of a spec at most, its own included. API servers keep 10,000; what walks a spec must not run out of stack.</summary>
    public const int Levels = 64;

    /// <summary>The pattern of a DNS label.</summary>
    public const string LabelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

    /// <summary>The pattern of a DNS label that starts with a letter, as Services need it.</summary>
    public const string NamePattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$";

    /// <summary>The pattern of a port's appProtocol.</summary>
    public const string AppProtocolPattern = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";
}
