using System.Globalization;
using System.Runtime.InteropServices;

namespace RagOperator.SampleService;

/// <summary>
/// On SIGTERM: not ready any more, but still serving until everybody who sends requests has had time to hear of it, and only then
/// stopping. That is what makes a pod's end invisible to clients. RAG_DRAIN_SECONDS (5) says how long.
/// </summary>
internal sealed class Drain(IHostApplicationLifetime application, ImageTag tag, TimeProvider time) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private volatile bool _draining;

    public IResult Readiness(bool ready) => ready && !_draining && !tag.NeverReady ? Results.Text("ok") : Results.Text(_draining ? "draining" : "not ready", statusCode: 503);

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                _ = StopLaterAsync(context.Signal == PosixSignal.SIGINT ? TimeSpan.Zero : Patience());
            }));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private static TimeSpan Patience() => TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("RAG_DRAIN_SECONDS"), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? seconds : 5);

    private async Task StopLaterAsync(TimeSpan patience)
    {
        _draining = true;
        await Task.Delay(patience, time);
        application.StopApplication();
    }
}
