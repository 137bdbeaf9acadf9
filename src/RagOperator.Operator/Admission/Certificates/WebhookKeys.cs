using System.Text;
using RagOperator.Abstractions.Models;

namespace RagOperator.Operator.Admission.Certificates;

/// <summary>What all processes share by the Secret. Nothing of it is ever logged.</summary>
internal sealed record WebhookKeys
{
    /// <summary>Signs serving certificates.</summary>
    public PemPair? Authority { get; init; }

    /// <summary>Certificates of earlier authorities that are trusted still, PEM; empty without any.</summary>
    public string Earlier { get; init; } = "";

    /// <summary>What is served with.</summary>
    public PemPair? Serving { get; init; }

    /// <summary>What stamps are made with; null where it is missing or no key.</summary>
    public byte[]? StampKey { get; init; }

    /// <summary>All certificates that the API server is to trust, the newest first.</summary>
    public string Bundle => Authority is null ? "" : $"{Authority.Certificate.Trim()}\n{(Earlier.Length == 0 ? "" : $"{Earlier.Trim()}\n")}";

    /// <inheritdoc/>
    public override string ToString() => "the webhook's keys";

    /// <summary>Reads the Secret. What is not there or unreadable is null or empty.</summary>
    public static WebhookKeys Of(V1Secret? secret)
    {
        var key = Bytes(secret, "stamp.key");
        return new WebhookKeys
        {
            Authority = Pair(secret, "ca"),
            Earlier = Text(secret, "ca-earlier.crt") ?? "",
            Serving = Pair(secret, "tls"),
            StampKey = key?.Length == RequestStamps.KeyLength ? key : null,
        };
    }

    /// <summary>The Secret's entries; null for those that are to go.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Entries() =>
    [
        new("ca.crt", Encoded(Authority?.Certificate)),
        new("ca.key", Encoded(Authority?.Key)),
        new("ca-earlier.crt", Encoded(Earlier)),
        new("tls.crt", Encoded(Serving?.Certificate)),
        new("tls.key", Encoded(Serving?.Key)),
        new("stamp.key", StampKey is null ? null : Convert.ToBase64String(StampKey)),
    ];

    private static string? Encoded(string? text) => string.IsNullOrEmpty(text) ? null : Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static PemPair? Pair(V1Secret? secret, string name) =>
        Text(secret, $"{name}.crt") is { } certificate && Text(secret, $"{name}.key") is { } key ? new PemPair(certificate, key) : null;

    private static string? Text(V1Secret? secret, string name) => Bytes(secret, name) is { Length: > 0 } bytes ? Encoding.ASCII.GetString(bytes) : null;

    private static byte[]? Bytes(V1Secret? secret, string name)
    {
        if (secret?.Data is not { } data || !data.TryGetValue(name, out var encoded)) return null;
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out var length) ? bytes[..length] : null;
    }
}
