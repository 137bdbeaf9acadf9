using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace RagOperator.Tests.Shared;

/// <summary>Random tests that are the same in every run until somebody asks for others: RAG_SEED begins elsewhere, RAG_CASES=20 tries twenty
/// times as many. A failure names the seed that repeats it.</summary>
public static class Seeded
{
    private static readonly TimeSpan s_cutting = TimeSpan.FromMinutes(2);

    /// <summary>How many times as many cases as usual.</summary>
    public static int Times => Math.Max(1, Number("RAG_CASES", 1));

    /// <summary>The first seed.</summary>
    public static int First => Number("RAG_SEED", 1);

    /// <summary>Plays so many cases, each with a Random whose numbers FsCheck drew: a case that fails is tried again with fewer of them and with
    /// smaller ones, so that the one that is told is about the simplest.</summary>
    public static void Each(int count, Action<Random> play) => Holds(count, Prop.ForAll(Tape.Any, tape => Play(tape, play)));

    /// <summary>As <see cref="Each"/>, for cases that wait.</summary>
    public static Task EachAsync(int count, Func<Random, Task> play) => HoldsAsync(count, Tape.Any, async tape =>
    {
        try
        {
            await play(tape.Reader());
        }
        catch (TapeEndedException) when (tape.IsCut)
        {
            // Cut too short to be a case at all.
        }
    });

    private static void Play(Tape tape, Action<Random> play)
    {
        try
        {
            play(tape.Reader());
        }
        catch (TapeEndedException) when (tape.IsCut)
        {
            // Cut too short to be a case at all.
        }
    }

    /// <summary>Holds a property for cases that FsCheck draws.</summary>
    public static void Holds<T>(int count, Arbitrary<T> cases, Func<T, bool> property) => Holds(count, Prop.ForAll(cases, property));

    /// <summary>As <see cref="Holds{T}(int, Arbitrary{T}, Func{T, bool})"/>, for properties that throw where they do not hold and that wait.</summary>
    public static Task HoldsAsync<T>(int count, Arbitrary<T> cases, Func<T, Task> property) =>
        // FsCheck blocks its thread until a case has ended; a case that goes on on the test runner's threads would wait for that very thread.
        Task.Run(() =>
        {
            long? failed = null;
            Holds(count, Prop.ForAll(cases, async drawn =>
            {
                // Cases that wait in vain take their time, each of them: what is tried after a while counts as holding, and the shortest so far is told.
                if (failed is { } since && TimeProvider.System.GetElapsedTime(since) > s_cutting) return;
                try
                {
                    await property(drawn);
                }
                catch
                {
                    failed ??= TimeProvider.System.GetTimestamp();
                    throw;
                }
            }));
        });

    /// <summary>Histories of a length between two bounds. One that fails is cut down to the steps that it needs.</summary>
    public static Arbitrary<T[]> Histories<T>(Gen<T> step, int least, int most) =>
        Arb.From(from length in Gen.Choose(least, most) from steps in step.ArrayOf(length) select steps, Shorter);

    /// <summary>A history without one half of it, without each quarter, and so on down to each step.</summary>
    public static IEnumerable<T[]> Shorter<T>(T[] history)
    {
        for (var size = (history.Length + 1) / 2; size > 0; size /= 2)
        {
            for (var at = 0; at < history.Length; at += size) yield return [.. history.Take(at), .. history.Skip(at + size)];
        }
    }

    private static void Holds(int count, Property property)
    {
        var replay = new Replay(new Rnd((ulong)First), FSharpOption<int>.None);
        try
        {
            Check.One(Config.QuickThrowOnFailure.WithMaxTest(count * Times).WithReplay(FSharpOption<Replay>.Some(replay)), property);
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
