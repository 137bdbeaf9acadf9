using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RagOperator.Engine.Releases;

/// <summary>Hashes for names. The alphabet is the one that Kubernetes itself uses for generated names: no vowels, no look-alikes.</summary>
public static class ShortHash
{
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>Characters of a short hash.</summary>
    public const int Length = 10;

    /// <summary>The SHA-256 of the parts in lower-case hexadecimal. Each part's length is hashed too, so that no two lists of parts collide.</summary>
    /// <param name="parts">The parts.</param>
    public static string Full(params IEnumerable<byte[]> parts) => Convert.ToHexStringLower(Digest(parts));

    /// <summary>Ten characters that begin with a letter or digit of the alphabet, from the SHA-256 of the parts.</summary>
    /// <param name="parts">The parts.</param>
    public static string Short(params IEnumerable<string> parts)
    {
        var number = BinaryPrimitives.ReadUInt64BigEndian(Digest(parts.Select(Encoding.UTF8.GetBytes)));
        return string.Create(Length, number, static (text, rest) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = Alphabet[(int)(rest % (ulong)Alphabet.Length)];
                rest /= (ulong)Alphabet.Length;
            }
        });
    }

    private static byte[] Digest(IEnumerable<byte[]> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
            hash.AppendData(length);
            hash.AppendData(part);
        }

        return hash.GetHashAndReset();
    }
}
