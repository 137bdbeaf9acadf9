using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RagOperator.Operator.Admission;

/// <summary>Who asked, as a stamp proves it.</summary>
/// <param name="User">The user's name, as the API server authenticated it.</param>
/// <param name="At">When the request was let in.</param>
internal sealed record RequestStamp(string User, DateTimeOffset At);

/// <summary>Makes and checks the annotation that says who wrote a request: <c>v1.MILLISECONDS.HMAC USER</c>, HMAC-SHA256 over the object's uid, the
/// request, the user and the time. The time keeps a stamp that was used once from proving anything later.</summary>
internal sealed class RequestStamps
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyLength = 32;

    private const string Version = "v1";
    // Where a stamp has its HMAC. No HMAC is written like that, so it proves nothing.
    private const string Unsigned = "dry-run";
    private volatile byte[]? _key;

    /// <summary>Whether there is a key to make stamps with.</summary>
    public bool HasKey => _key is not null;

    /// <summary>Puts a key into use.</summary>
    public void Use(byte[] key) => _key = key;

    /// <summary>A stamp; null while there is no key.</summary>
    public string? Make(string uid, string request, string user, DateTimeOffset now)
    {
        if (_key is not { } key) return null;
        var at = now.ToUnixTimeMilliseconds();
        return $"{Version}.{at}.{Base64Url.EncodeToString(Mac(key, uid, request, user, at))} {user}";
    }

    /// <summary>What a stamp would look like, for a write that is only tried out: nobody is to keep one that proves something. Null while there is no key.</summary>
    public string? MakeUnsigned(string user, DateTimeOffset now) => HasKey ? $"{Version}.{now.ToUnixTimeMilliseconds()}.{Unsigned} {user}" : null;

    /// <summary>What a stamp proves; null where it proves nothing.</summary>
    public RequestStamp? Verify(string uid, string request, string? stamp)
    {
        if (_key is not { } key || stamp is null || stamp.IndexOf(' ', StringComparison.Ordinal) is var space && space < 0) return null;
        var user = stamp[(space + 1)..];
        if (stamp[..space].Split('.') is not [Version, var time, var mac]
            || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return null;
        // Compared as text: there are several ways to write the same bytes, and only one that we write.
        var right = Base64Url.EncodeToUtf8(Mac(key, uid, request, user, at));
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(mac), right) ? new RequestStamp(user, DateTimeOffset.FromUnixTimeMilliseconds(at)) : null;
    }

    /// <summary>Each part with its length before it, so that no two different requests read the same.</summary>
    private static byte[] Mac(byte[] key, string uid, string request, string user, long at)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> number = stackalloc byte[sizeof(long)];
        foreach (var part in (string[])[uid, request, user])
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt64BigEndian(number, bytes.Length);
            mac.AppendData(number);
            mac.AppendData(bytes);
        }

        BinaryPrimitives.WriteInt64BigEndian(number, at);
        mac.AppendData(number);
        return mac.GetHashAndReset();
    }
}
