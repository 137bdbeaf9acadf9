namespace RagOperator.Kubernetes;

/// <summary>Why a request did not succeed, as far as a caller can act on it.</summary>
public enum ApiReason
{
    /// <summary>The request succeeded.</summary>
    None,

    /// <summary>400: the request makes no sense to the server.</summary>
    BadRequest,

    /// <summary>401: the credentials were not accepted.</summary>
    Unauthorized,

    /// <summary>403: the credentials were accepted, the action is not allowed.</summary>
    Forbidden,

    /// <summary>404: the kind is served, the object (or its namespace) is not there.</summary>
    NotFound,

    /// <summary>404: the server does not serve this kind at all; its CRD is not installed.</summary>
    KindMissing,

    /// <summary>405.</summary>
    MethodNotAllowed,

    /// <summary>409 on a creation: the name is taken.</summary>
    AlreadyExists,

    /// <summary>409: uid or resourceVersion is not the one that the request was decided from, or another field manager owns a field.</summary>
    Conflict,

    /// <summary>410: what was asked for is gone for good.</summary>
    Gone,

    /// <summary>410: the resourceVersion or continue token is too old; list again.</summary>
    Expired,

    /// <summary>422: the object does not pass validation.</summary>
    Invalid,

    /// <summary>413: the object is too large.</summary>
    RequestEntityTooLarge,

    /// <summary>415: the patch type does not suit the kind.</summary>
    UnsupportedMediaType,

    /// <summary>429: the server asks to slow down, or a disruption budget forbids an eviction.</summary>
    TooManyRequests,

    /// <summary>504 with a Status: the server gave up; whether the write happened is not known.</summary>
    Timeout,

    /// <summary>500 with reason ServerTimeout: the server asks to try again.</summary>
    ServerTimeout,

    /// <summary>500: whether the write happened is not known.</summary>
    InternalError,

    /// <summary>503, or a bad gateway on the way.</summary>
    Unavailable,

    /// <summary>No answer: connection, TLS, credentials or own time limit. Whether a write happened is not known.</summary>
    Transport,

    /// <summary>A write that was not sent, as this process does not lead, or does not any more.</summary>
    NotLeading,

    /// <summary>The server said yes, but the body could not be read as what was asked for; a write did happen.</summary>
    Malformed,

    /// <summary>Any other answer; see the status code.</summary>
    Unknown,
}
