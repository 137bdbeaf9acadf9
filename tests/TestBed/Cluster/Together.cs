namespace RagOperator.TestBed.Cluster;

/// <summary>Tasks that go on for as long as the bed does and are of no use one without the other.</summary>
internal static class Together
{
    /// <summary>Ends as the first of them does, by its error if it has one.</summary>
    public static async Task RunAsync(params IEnumerable<Task> tasks) => await await Task.WhenAny(tasks);
}
