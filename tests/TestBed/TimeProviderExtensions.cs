namespace RagOperator.TestBed;

/// <summary>Waiting through a <see cref="TimeProvider"/>, as BannedSymbols.txt asks.</summary>
internal static class TimeProviderExtensions
{
    public static Task Delay(this TimeProvider time, TimeSpan delay, CancellationToken cancellationToken = default) => Task.Delay(delay, time, cancellationToken);
}
