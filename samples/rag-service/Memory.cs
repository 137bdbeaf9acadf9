namespace RagOperator.SampleService;

/// <summary>What the last questions were and how often each passage was shown: what experience-replay and soft-q-bandit work on.</summary>
internal sealed class Memory
{
    private const int Kept = 50;
    private readonly Lock _lock = new();
    private readonly Queue<(string Question, float[] Vector, string Answer)> _asked = new();
    private readonly Dictionary<string, int> _shown = new(StringComparer.Ordinal);

    public void Remember(string question, float[] vector, string answer)
    {
        lock (_lock)
        {
            if (_asked.Any(entry => entry.Question == question))
                return;
            _asked.Enqueue((question, vector, answer));
            if (_asked.Count > Kept)
                _asked.Dequeue();
        }
    }

    public IReadOnlyList<Replayed> Similar(float[] vector, string question)
    {
        lock (_lock)
            return [.. _asked.Where(entry => entry.Question != question).OrderByDescending(entry => HashingEmbedder.Similarity(entry.Vector, vector)).Take(2)
                .Select(entry => new Replayed(entry.Question, entry.Answer))];
    }

    /// <summary>Upper-confidence ranking: what was seldom shown moves up.</summary>
    public List<(Passage Passage, double Score)> Explore(List<(Passage Passage, double Score)> ranked)
    {
        lock (_lock)
        {
            var total = _shown.Values.Sum() + 1;
            var explored = ranked.OrderByDescending(entry => entry.Score + (2 * Math.Sqrt(Math.Log(total + 1) / (_shown.GetValueOrDefault(entry.Passage.Id) + 1)))).ToList();
            foreach (var (passage, _) in explored.Take(3))
                _shown[passage.Id] = _shown.GetValueOrDefault(passage.Id) + 1;
            return explored;
        }
    }
}
