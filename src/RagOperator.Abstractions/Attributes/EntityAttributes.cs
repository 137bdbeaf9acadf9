namespace RagOperator.Abstractions.Attributes;

/// <summary>Short names of a kind, for kubectl.</summary>
/// <param name="shortNames">The names.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KubernetesEntityShortNamesAttribute(params string[] shortNames) : Attribute
{
    /// <summary>The names.</summary>
    public IReadOnlyList<string> ShortNames { get; } = shortNames;
}

/// <summary>Categories of a kind: <c>kubectl get rag</c> lists all of one.</summary>
/// <param name="categories">The names.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KubernetesEntityCategoriesAttribute(params string[] categories) : Attribute
{
    /// <summary>The names.</summary>
    public IReadOnlyList<string> Categories { get; } = categories;
}

/// <summary>When kubectl shows a column.</summary>
public enum PrinterColumnPriority
{
    /// <summary>Always.</summary>
    StandardView,

    /// <summary>With <c>-o wide</c>.</summary>
    WideView,
}

/// <summary>A column that kubectl shows, in the order in which they are written.</summary>
/// <param name="jsonPath">Where the value is.</param>
/// <param name="name">The column's name.</param>
/// <param name="type">integer, number, string, boolean or date; a date is shown as its age, so one that lies ahead must be a string.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class GenericAdditionalPrinterColumnAttribute(string jsonPath, string name, string type) : Attribute
{
    /// <summary>Where the value is.</summary>
    public string JsonPath { get; } = jsonPath;

    /// <summary>The column's name.</summary>
    public string Name { get; } = name;

    /// <summary>The column's type.</summary>
    public string Type { get; } = type;

    /// <summary>What it shows.</summary>
    public string? Description { get; init; }

    /// <summary>When it is shown.</summary>
    public PrinterColumnPriority Priority { get; init; }
}
