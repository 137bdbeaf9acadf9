using System.Reflection;

namespace RagOperator.Operator.Hosting;

/// <summary>What was built.</summary>
internal static class BuildInfo
{
    /// <summary>The version, with the commit where it is known.</summary>
    public static string Version { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
