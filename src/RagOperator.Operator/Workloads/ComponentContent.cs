using System.Globalization;
using System.Text.Json;
using RagOperator.Engine.Releases;
using RagOperator.Operator.Json;

namespace RagOperator.Operator.Workloads;

/// <summary>One port of a component's Service, as the user wrote it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Target">Where the container listens: a number, or the name of one of its ports.</param>
/// <param name="Protocol">TCP, UDP or SCTP; null: TCP.</param>
/// <param name="AppProtocol">What is spoken there, or null.</param>
internal sealed record ComponentPort(string Name, int Port, string Target, string? Protocol, string? AppProtocol);

/// <summary>What a dependent is told about a component.</summary>
/// <param name="Host">The Service's name.</param>
/// <param name="Port">The Service's first port.</param>
/// <param name="Scheme">http or https.</param>
internal sealed record ComponentAddress(string Host, int Port, string Scheme)
{
    public string Url => $"{Scheme}://{Host}:{Port}";
}

/// <summary>Reads what the user wrote for a component. It passed validation once, so what is not there is not named again here.</summary>
internal static class ComponentContent
{
    public static IReadOnlyList<ComponentPort> Ports(this ComponentRecord component) =>
    [
        .. component.Content.Items("ports").Select(static p =>
            new ComponentPort(p.Text("name") ?? "", p.Number("port") ?? 0, Target(p), p.Text("protocol"), p.Text("appProtocol"))),
    ];

    public static JsonElement? Template(this ComponentRecord component) => component.Content.Member("template");

    /// <summary>Where dependents find it, or null where it has no Service.</summary>
    /// <param name="component">The component.</param>
    /// <param name="name">The RagDeployment's name.</param>
    public static ComponentAddress? Address(this ComponentRecord component, string name)
    {
        if (component.Revision is null)
        {
            return component.Content.Member("external") is { } external && external.Text("service") is { } service
                ? new(service, external.Number("port") ?? 0, "http")
                : null;
        }

        return component.Ports() is [var first, ..]
            ? new(ChildNames.Revision(name, component.Name, component.Revision), first.Port, SchemeOf(first))
            : null;
    }

    // A name holds a letter, so that it is told from a number.
    private static string Target(JsonElement port) =>
        port.Text("targetPort") ?? (port.Number("targetPort") ?? port.Number("port") ?? 0).ToString(CultureInfo.InvariantCulture);

    private static string SchemeOf(ComponentPort port) =>
        string.Equals(port.AppProtocol, "https", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
}
