namespace RagOperator.Kubernetes.Tests.Support;

/// <summary>Waits for a condition, up to a deadline.</summary>
internal static class Wait
{
    public static Task UntilAsync(Func<bool> condition, string what, TimeSpan? limit = null) =>
        UntilAsync(() => Task.FromResult(condition()), what, limit);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? limit = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > (limit ?? TimeSpan.FromSeconds(60))) throw new TimeoutException($"It did not happen that {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
