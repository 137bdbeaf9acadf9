using System.Reflection;
using System.Reflection.Emit;

namespace RagOperator.Architecture.Tests;

/// <summary>What a type uses: in its signatures, its fields and its code.</summary>
internal static class Uses
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static f => (OpCode)f.GetValue(null)!).ToDictionary(static c => c.Value);

    public static IEnumerable<Type> Of(Type type)
    {
        var direct = new[] { type.BaseType }.OfType<Type>()
            .Concat(type.GetInterfaces())
            .Concat(type.GetFields(All).Select(static f => f.FieldType))
            .Concat(Bodies(type).SelectMany(static m => m.GetParameters().Select(static p => p.ParameterType)))
            .Concat(type.GetMethods(All).Select(static m => m.ReturnType))
            .Concat(Bodies(type).SelectMany(static m => m.GetMethodBody()?.LocalVariables.Select(static l => l.LocalType) ?? []))
            .Concat(Members(type).Select(static m => m as Type ?? m.DeclaringType!))
            .Concat(Members(type).OfType<MethodInfo>().Select(static m => m.ReturnType));
        return direct.Where(static t => t is not null).SelectMany(Parts).Distinct();
    }

    public static IEnumerable<MethodBase> Methods(Type type) => Members(type).OfType<MethodBase>();

    private static IEnumerable<MethodBase> Bodies(Type type) => type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All));

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition())
        : [type];

    private static List<MemberInfo> Members(Type type)
    {
        var members = new List<MemberInfo>();
        foreach (var method in Bodies(type))
        {
            if (method.GetMethodBody()?.GetILAsByteArray() is { } code) Read(method, code, members);
        }

        return members;
    }

    private static void Read(MethodBase method, byte[] code, List<MemberInfo> members)
    {
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var value = (short)code[at++];
            if (value == 0xFE) value = (short)(0xFE00 | code[at++]);
            var operand = s_codes[value].OperandType;
            if (operand is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                members.Add(method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments)!);
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }
}
