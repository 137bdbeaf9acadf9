using System.Reflection;
using System.Runtime.CompilerServices;
using RagOperator.Engine.Rollout;

namespace RagOperator.Architecture.Tests;

/// <summary>The engine decides and does nothing else: no I/O, no clock, no async, no chance, nothing kept between two decisions.</summary>
public sealed class EngineTests
{
    private static readonly Assembly s_engine = typeof(RolloutEngine).Assembly;

    [Fact]
    public void Engine_uses_no_io_no_clock_no_threads_and_no_chance()
    {
        string[] spaces = ["System.IO", "System.Net", "System.Threading", "System.Diagnostics", "Microsoft"];
        Type[] types = [typeof(TimeProvider), typeof(Random), typeof(Console), typeof(Environment)];
        // What the compiler makes of an iterator asks for its thread.
        var found = s_engine.GetTypes().Where(static t => t.GetCustomAttribute<CompilerGeneratedAttribute>() is null || !typeof(System.Collections.IEnumerator).IsAssignableFrom(t))
            .SelectMany(t => Uses.Of(t).Where(u => types.Contains(u) || (u.Namespace is { } n && !u.IsSubclassOf(typeof(Attribute)) && u.Assembly != s_engine
                && spaces.Any(s => n == s || n.StartsWith(s + ".", StringComparison.Ordinal)))).Select(u => $"{t} uses {u}"))
            .Distinct().ToList();
        Assert.Empty(found);
    }

    [Fact]
    public void Engine_asks_nobody_for_the_time()
    {
        string[] clocks = ["get_Now", "get_UtcNow", "get_Today", "NewGuid", "get_TickCount"];
        var found = s_engine.GetTypes().SelectMany(t => Uses.Methods(t).Where(m => m.DeclaringType?.Assembly != s_engine && clocks.Contains(m.Name)).Select(m => $"{t} calls {m.DeclaringType}.{m.Name}"));
        Assert.Empty(found);
    }

    [Fact]
    public void Engine_has_no_async_method_and_no_static_that_can_change()
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        Assert.DoesNotContain(s_engine.GetTypes().SelectMany(static t => t.GetMethods(all)), static m => m.GetCustomAttribute<AsyncStateMachineAttribute>() is not null);
        var statics = s_engine.GetTypes()
            .Where(static t => t.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !typeof(System.Text.Json.Serialization.JsonSerializerContext).IsAssignableFrom(t))
            .SelectMany(static t => t.GetFields(all)).Where(static f => f is { IsStatic: true, IsInitOnly: false, IsLiteral: false } && f.GetCustomAttribute<CompilerGeneratedAttribute>() is null);
        Assert.Empty(statics.Select(static f => $"{f.DeclaringType}.{f.Name}"));
    }
}
