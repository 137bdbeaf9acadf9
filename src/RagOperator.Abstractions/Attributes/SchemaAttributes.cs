namespace RagOperator.Abstractions.Attributes;

/// <summary>The field must be there. Names of these attributes are those of KubeOps; the generator of the CRD reads them, nothing at run time does.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiredAttribute : Attribute;

/// <summary>A description for users, where the XML documentation speaks to programmers.</summary>
/// <param name="description">The text.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class DescriptionAttribute(string description) : Attribute
{
    /// <summary>The text.</summary>
    public string Description { get; } = description;
}

/// <summary>A regular expression that a string, or each string of a list, must match.</summary>
/// <param name="regexPattern">The expression, in the syntax that Go and .NET share.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string regexPattern) : Attribute
{
    /// <summary>The expression.</summary>
    public string RegexPattern { get; } = regexPattern;
}

/// <summary>Characters that a string, or each string of a list, may have.</summary>
/// <param name="minLength">At least.</param>
/// <param name="maxLength">At most.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LengthAttribute(int minLength, int maxLength) : Attribute
{
    /// <summary>At least.</summary>
    public int MinLength { get; } = minLength;

    /// <summary>At most.</summary>
    public int MaxLength { get; } = maxLength;
}

/// <summary>Items that a list may have.</summary>
/// <param name="minItems">At least.</param>
/// <param name="maxItems">At most.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemsAttribute(int minItems, int maxItems) : Attribute
{
    /// <summary>At least.</summary>
    public int MinItems { get; } = minItems;

    /// <summary>At most.</summary>
    public int MaxItems { get; } = maxItems;
}

/// <summary>Fields that an object must have.</summary>
/// <param name="minProperties">At least.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PropertyLimitsAttribute(int minProperties) : Attribute
{
    /// <summary>At least.</summary>
    public int MinProperties { get; } = minProperties;
}

/// <summary>The least that a number may be.</summary>
/// <param name="minimum">The number; itself allowed.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMinimumAttribute(long minimum) : Attribute
{
    /// <summary>The number; itself allowed.</summary>
    public long Minimum { get; } = minimum;
}

/// <summary>The most that a number may be.</summary>
/// <param name="maximum">The number; itself allowed.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMaximumAttribute(long maximum) : Attribute
{
    /// <summary>The number; itself allowed.</summary>
    public long Maximum { get; } = maximum;
}

/// <summary>The values that a string may have.</summary>
/// <param name="values">The values.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EnumValuesAttribute(params string[] values) : Attribute
{
    /// <summary>The values.</summary>
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>How the API server merges a list.</summary>
public enum XListType
{
    /// <summary>Replaced as a whole. The right one where the order means something.</summary>
    Atomic,

    /// <summary>Each value once.</summary>
    Set,

    /// <summary>Objects told apart by keys.</summary>
    Map,
}

/// <summary>How the API server merges the list.</summary>
/// <param name="type">How.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListTypeAttribute(XListType type) : Attribute
{
    /// <summary>How.</summary>
    public XListType Type { get; } = type;
}

/// <summary>The keys of a list of type <see cref="XListType.Map"/>; the fields must be required.</summary>
/// <param name="keys">Names of fields, in camelCase.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListMapKeysAttribute(params string[] keys) : Attribute
{
    /// <summary>Names of fields, in camelCase.</summary>
    public IReadOnlyList<string> Keys { get; } = keys;
}

/// <summary>An object that is carried through with all that it holds.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PreserveUnknownFieldsAttribute : Attribute;

/// <summary>A whole number or a string.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IntOrStringAttribute : Attribute;

/// <summary>The value that the API server fills in.</summary>
/// <param name="json">The value as JSON.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultValueAttribute(string json) : Attribute
{
    /// <summary>The value as JSON.</summary>
    public string Json { get; } = json;
}

/// <summary>The type that a raw property is read as.</summary>
/// <param name="type">The type.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SchemaTypeAttribute(Type type) : Attribute
{
    /// <summary>The type.</summary>
    public Type Type { get; } = type;
}

/// <summary>A rule in CEL. API servers from 1.25 on hold it; the operator holds the same for all.</summary>
/// <param name="rule">The expression; <c>self</c> is the value.</param>
/// <param name="message">What is said when it does not hold; one line.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(string rule, string message) : Attribute
{
    /// <summary>The expression.</summary>
    public string Rule { get; } = rule;

    /// <summary>What is said when it does not hold.</summary>
    public string Message { get; } = message;
}
