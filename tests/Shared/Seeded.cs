using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace RagOperator.Tests.Shared;

/// <summary>Random tests that are the same in every run until somebody asks for others: RAG_SEED begins elsewhere, RAG_CASES=20 tries twenty
/// times as many. A failure names the seed that repeats it.</summary>
public static class Seeded
{
    /// <summary>How many times as many cases as usual.</summary>
    public static int Times => Math.Max(1, Number("RAG_CASES", 1));

    /// <summary>The first seed.</summary>
    public static int First => Number("RAG_SEED", 1);

    /// <summary>Plays a case for each of so many seeds; each one draws from its own Random.</summary>
    public static void Each(int count, Action<Random> play)
    {
        for (var seed = First; seed < First + (count * Times); seed++)
        {
            try
            {
                play(new Random(seed));
            }
            catch (Exception e)
            {
                throw Failed(seed, e);
            }
        }
    }

    /// <summary>As <see cref="Each"/>, for cases that wait; they also get their seed.</summary>
    public static async Task EachAsync(int count, Func<Random, int, Task> play)
    {
        for (var seed = First; seed < First + (count * Times); seed++)
        {
            try
            {
                await play(new Random(seed), seed);
            }
            catch (Exception e)
            {
                throw Failed(seed, e);
            }
        }
    }

    /// <summary>Holds a property for cases that FsCheck draws.</summary>
    public static void Holds<T>(int count, Arbitrary<T> cases, Func<T, bool> property)
    {
        var replay = new Replay(new Rnd((ulong)First), FSharpOption<int>.None);
        try
        {
            Check.One(Config.QuickThrowOnFailure.WithMaxTest(count * Times).WithReplay(FSharpOption<Replay>.Some(replay)), Prop.ForAll(cases, property));
        }
        catch (Exception e)
        {
            throw Failed(First, e);
        }
    }

    private static InvalidOperationException Failed(int seed, Exception e) => new($"seed {seed} (RAG_SEED={seed} RAG_CASES={Times} repeats it): {e.Message}", e);

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
