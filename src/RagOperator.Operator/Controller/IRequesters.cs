using RagOperator.Api.V1Alpha1;

namespace RagOperator.Operator.Controller;

/// <summary>Tells who wrote the request that an object carries.</summary>
public interface IRequesters
{
    /// <summary>Whether <see cref="Of"/> can tell yet; for a moment after the start it cannot, and a request must not be judged by that.</summary>
    /// <param name="entity">The object.</param>
    bool CanTell(RagDeployment entity);

    /// <summary>Looks at the object's request and what proves its writer.</summary>
    /// <param name="entity">The object.</param>
    /// <returns>The user, where that is proven; and why nobody is known, where somebody has to be.</returns>
    (string? User, string? Unidentified) Of(RagDeployment entity);
}

/// <summary>Without the webhook nobody is known, and nobody has to be: what stands in an annotation may be anybody's word.</summary>
public sealed class UnknownRequesters : IRequesters
{
    /// <inheritdoc/>
    public bool CanTell(RagDeployment entity) => true;

    /// <inheritdoc/>
    public (string? User, string? Unidentified) Of(RagDeployment entity) => (null, null);
}
