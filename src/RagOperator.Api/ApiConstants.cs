namespace RagOperator.Api;

/// <summary>Names that users, GitOps tools and other controllers rely on.</summary>
public static class ApiConstants
{
    /// <summary>The API group.</summary>
    public const string Group = "ragoperator.dev";

    /// <summary>The API version.</summary>
    public const string Version = "v1alpha1";

    /// <summary>The kind.</summary>
    public const string Kind = "RagDeployment";

    /// <summary>The plural that paths use.</summary>
    public const string Plural = "ragdeployments";

    /// <summary>The short name for kubectl.</summary>
    public const string ShortName = "ragd";

    /// <summary>Group and version.</summary>
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>Label: the RagDeployment's name.</summary>
    public const string NameLabel = Group + "/name";

    /// <summary>Label: the component's name.</summary>
    public const string ComponentLabel = Group + "/component";

    /// <summary>Label: the component revision's name.</summary>
    public const string RevisionLabel = Group + "/revision";

    /// <summary>Annotation by which people ask for something: <c>verb/release[/step]</c>.</summary>
    public const string RequestAnnotation = Group + "/request";

    /// <summary>Annotation beside <see cref="RequestAnnotation"/> by which the webhook proves who wrote that. What anybody else writes there is replaced.</summary>
    public const string RequestedByAnnotation = Group + "/requested-by";

    /// <summary>Annotation on the route: a rollback that could not be written to status, <c>release cause</c>.</summary>
    public const string RolledBackAnnotation = Group + "/rolled-back";

    /// <summary>Annotation on a release's ControllerRevision: it failed, and why.</summary>
    public const string FailedAnnotation = Group + "/failed";

    /// <summary>Annotation on a release's ControllerRevision: flags struck from it, separated by commas.</summary>
    public const string StruckAnnotation = Group + "/struck";

    /// <summary>Annotation on Service <c>&lt;name&gt;</c>: the hash of the release that is stable.</summary>
    public const string ReleaseAnnotation = Group + "/release";

    /// <summary>Label on ControllerRevisions: what they keep, <see cref="ReleaseRecord"/> or <see cref="PolicyRecord"/>.</summary>
    public const string RecordLabel = Group + "/record";

    /// <summary>Value of <see cref="RecordLabel"/>: the preimage of a release.</summary>
    public const string ReleaseRecord = "release";

    /// <summary>Value of <see cref="RecordLabel"/>: the last accepted policy.</summary>
    public const string PolicyRecord = "policy";

    /// <summary>Annotation on children: which of their labels, annotations and fields spec's <c>metadata</c> and <c>minReadySeconds</c> brought, so that what spec
    /// no longer has can be taken away, and nothing else is.</summary>
    public const string CarriedAnnotation = Group + "/carried";

    /// <summary>Where a receiving component finds its flag files.</summary>
    public const string FlagsDirectory = "/etc/rag/flags";

    /// <summary>Name of the volume that holds the flag files in a receiving component's pods; a user's volume may not have it.</summary>
    public const string FlagsVolume = "rag-flags";

    /// <summary>How many characters a component revision's name has.</summary>
    public const int RevisionLength = 10;

    /// <summary>The field manager of all writes, for ever the same.</summary>
    public const string FieldManager = "rag-operator";
}
