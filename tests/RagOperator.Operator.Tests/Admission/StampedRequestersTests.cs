using System.Security.Cryptography;
using RagOperator.Api.V1Alpha1;
using RagOperator.Operator.Admission;
using RagOperator.Tests.Shared;

namespace RagOperator.Operator.Tests.Admission;

public sealed class StampedRequestersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RequestStamps _stamps = new();

    [Fact]
    public void Stamp_that_verifies_names_its_user_until_a_request_was_handled_since()
    {
        _stamps.Use(RandomNumberGenerator.GetBytes(RequestStamps.KeyLength));
        var requesters = new StampedRequesters(_stamps, required: true, _time);
        var stamp = _stamps.Make("uid-1", "abort/1", "ann", _time.GetUtcNow());

        Assert.Equal(("ann", null), requesters.Of(Asking("abort/1", stamp)));
        Assert.Equal(("ann", null), requesters.Of(Asking("abort/1", stamp, _time.GetUtcNow() - TimeSpan.FromMilliseconds(1))));
        // Copied from before: it was good for the request that is handled already.
        var (user, unidentified) = requesters.Of(Asking("abort/1", stamp, _time.GetUtcNow()));
        Assert.Null(user);
        Assert.Contains("not proven", unidentified, StringComparison.Ordinal);
        Assert.Equal((null, null), requesters.Of(Asking(null, stamp)));
    }

    [Fact]
    public void Nobody_has_to_be_known_where_that_is_not_asked_for()
    {
        _stamps.Use(RandomNumberGenerator.GetBytes(RequestStamps.KeyLength));

        Assert.Equal((null, null), new StampedRequesters(_stamps, required: false, _time).Of(Asking("promote/1", "v1.1.x root")));
        Assert.NotNull(new StampedRequesters(_stamps, required: true, _time).Of(Asking("promote/1", null)).Unidentified);
    }

    [Fact]
    public void Stamped_request_waits_a_moment_for_the_key_and_a_safe_one_does_not()
    {
        var requesters = new StampedRequesters(_stamps, required: true, _time);

        Assert.False(requesters.CanTell(Asking("promote/1", "v1.1.x ann")));
        Assert.True(requesters.CanTell(Asking("abort/1", "v1.1.x ann")));
        Assert.True(requesters.CanTell(Asking("promote/1", null)));
        Assert.True(requesters.CanTell(Asking(null, null)));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(requesters.CanTell(Asking("promote/1", "v1.1.x ann")));
    }

    private static RagDeployment Asking(string? request, string? stamp, DateTimeOffset? handled = null)
    {
        var entity = new RagDeployment { Metadata = new() { Uid = "uid-1", Annotations = new() } };
        if (request is not null) entity.Metadata.Annotations["ragoperator.dev/request"] = request;
        if (stamp is not null) entity.Metadata.Annotations["ragoperator.dev/requested-by"] = stamp;
        if (handled is not null) entity.Status = new RagDeploymentStatus { LastRequest = new RequestStatus { Request = "abort/1", At = handled } };
        return entity;
    }
}
