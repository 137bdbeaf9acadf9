using FsCheck;
using FsCheck.Fluent;

namespace RagOperator.Tests.Shared;

/// <summary>The numbers that one random case is made of. A tape can be cut down where a Random cannot: without some of its numbers, or with smaller
/// ones, it is a smaller case.</summary>
/// <param name="Numbers">In the order in which they are drawn.</param>
/// <param name="Seed">What comes after them is made from it. Null for one that was cut: after its last number only zeros come, and it may be too short to be
/// a case at all.</param>
public sealed record Tape(int[] Numbers, int? Seed)
{
    // Beyond them nothing is cut.
    private const int Kept = 500;

    /// <summary>Whether it is what was left of another one.</summary>
    public bool IsCut => Seed is null;

    /// <summary>Tapes without end; the seed that FsCheck draws stands for the whole of one.</summary>
    public static Arbitrary<Tape> Any { get; } = Arb.From(Gen.Choose(0, int.MaxValue - 1).Select(Of), Shorter);

    /// <summary>Draws the numbers one after the other.</summary>
    public Random Reader() => new TapeReader(Numbers, Seed is { } seed ? new Random(~seed) : null);

    /// <inheritdoc/>
    public override string ToString() => $"{Numbers.Length} numbers, {string.Join(' ', Numbers.Take(20))}";

    private static Tape Of(int seed)
    {
        var random = new Random(seed);
        return new Tape([.. Enumerable.Range(0, Kept).Select(_ => random.Next())], seed);
    }

    private static IEnumerable<Tape> Shorter(Tape tape)
    {
        var used = tape.Numbers.Length;
        foreach (var less in Seeded.Shorter(tape.Numbers)) yield return new Tape(less, null);
        for (var at = 0; at < Math.Min(used, 200); at++)
        {
            if (tape.Numbers[at] == 0) continue;
            foreach (var smaller in (int[])[0, tape.Numbers[at] / 2])
            {
                var numbers = tape.Numbers.ToArray();
                numbers[at] = smaller;
                yield return new Tape(numbers, null);
            }
        }
    }

    private sealed class TapeReader(int[] numbers, Random? rest) : Random
    {
        private int _at;

        public override int Next() => _at < numbers.Length ? numbers[_at++] : rest?.Next() ?? End();

        public override int Next(int maxValue) => maxValue <= 1 ? 0 : (int)(Next() % (uint)maxValue);

        public override int Next(int minValue, int maxValue) => (int)(minValue + (maxValue - (long)minValue <= 1 ? 0 : Wide() % (maxValue - (long)minValue)));

        public override long NextInt64() => Wide();

        public override long NextInt64(long maxValue) => maxValue <= 1 ? 0 : Wide() % maxValue;

        public override long NextInt64(long minValue, long maxValue) => minValue + (long)((ulong)Wide() % (ulong)(maxValue - minValue));

        public override double NextDouble() => Next() / (int.MaxValue + 1.0);

        public override float NextSingle() => (float)NextDouble();

        public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

        public override void NextBytes(Span<byte> buffer)
        {
            foreach (ref var b in buffer) b = (byte)Next(256);
        }

        protected override double Sample() => NextDouble();

        private long Wide() => ((long)Next() << 31) | (uint)Next();

        // Zeros for ever would keep a case going that draws until something else comes.
        private int End() => ++_at > numbers.Length + 10_000 ? throw new TapeEndedException() : 0;
    }
}

/// <summary>A case draws without end from a tape that was cut short.</summary>
public sealed class TapeEndedException() : Exception("the tape ended");
