using System.Security.Cryptography;
using RagOperator.Operator.Admission;

namespace RagOperator.Operator.Tests.Admission;

public sealed class RequestStampsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly RequestStamps _stamps = new();

    public RequestStampsTests() => _stamps.Use(RandomNumberGenerator.GetBytes(RequestStamps.KeyLength));

    [Theory]
    [InlineData("ann")]
    [InlineData("system:serviceaccount:argocd:argocd-application-controller")]
    [InlineData("Ann Ö. Example v1.2.3")]
    [InlineData("")]
    public void Stamp_proves_its_user_and_time(string user)
    {
        var stamp = _stamps.Make("uid-1", "approve/3/canary", user, s_now)!;

        Assert.EndsWith($" {user}", stamp, StringComparison.Ordinal);
        Assert.Equal(new RequestStamp(user, s_now), _stamps.Verify("uid-1", "approve/3/canary", stamp));
    }

    [Fact]
    public void Stamp_of_anything_else_proves_nothing()
    {
        var stamp = _stamps.Make("uid-1", "approve/3/canary", "ann", s_now)!;
        var other = new RequestStamps();
        Assert.Null(other.Make("uid-1", "approve/3/canary", "ann", s_now));
        Assert.Null(other.Verify("uid-1", "approve/3/canary", stamp));
        other.Use(RandomNumberGenerator.GetBytes(RequestStamps.KeyLength));

        Assert.Null(other.Verify("uid-1", "approve/3/canary", stamp));
        Assert.Null(_stamps.Verify("uid-2", "approve/3/canary", stamp));
        Assert.Null(_stamps.Verify("uid-1", "approve/4/canary", stamp));
        Assert.Null(_stamps.Verify("uid-1", "approve/3/canary", stamp.Replace(" ann", " bob", StringComparison.Ordinal)));
        // What one part loses another must not win.
        Assert.Null(_stamps.Verify("uid-1a", "pprove/3/canary", stamp));
    }

    [Fact]
    public void Stamp_that_is_damaged_anywhere_proves_nothing_and_breaks_nothing()
    {
        var stamp = _stamps.Make("uid-1", "abort/current", "ann", s_now)!;
        for (var i = 0; i < stamp.Length; i++)
        {
            foreach (var c in (char[])['A', 'B', '.', ' ', '9', '\u00e9'])
            {
                if (stamp[i] != c) Assert.Null(_stamps.Verify("uid-1", "abort/current", $"{stamp[..i]}{c}{stamp[(i + 1)..]}"));
            }

            Assert.Null(_stamps.Verify("uid-1", "abort/current", stamp[..i]));
        }

        Assert.All((string?[])[null, "", " ", "ann", "v1.99999999999999999999.x ann", $"v1.{long.MaxValue}.{new string('A', 43)} ann"], s => Assert.Null(_stamps.Verify("uid-1", "abort/current", s)));
    }
}
