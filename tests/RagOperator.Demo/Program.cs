using System.Runtime.InteropServices;
using RagOperator.TestBed;
using Spectre.Console;

namespace RagOperator.Demo;

internal static class Program
{
    private const int Interrupted = 130;

    private static async Task<int> Main()
    {
        using var stop = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true; // an orderly end: the operator first, then we
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        try
        {
            using var cluster = new Cluster();
            var site = ClusterBed.IsInside && Environment.GetEnvironmentVariable("CLUSTER") != "current" ? Site.FromBed() : null;
            if (site is null)
            {
                (site, var missing) = await CurrentCluster.CheckAsync(cluster, stop.Token);
                if (site is null)
                {
                    await Console.Error.WriteLineAsync($"{CurrentCluster.Needs}\nMissing now:\n{string.Concat(missing.Select(item => $"  - {item}\n"))}");
                    return 2;
                }
            }

            return await new Show(site, cluster).RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.WriteLine("demo: interrupted");
            return Interrupted;
        }
        catch (Exception e) when (e is InvalidOperationException or HttpRequestException or IOException or Kubernetes.KubeConfigException or Kubernetes.KubernetesException)
        {
            await Console.Error.WriteLineAsync($"demo: failed: {e.Message}");
            return 1;
        }
    }
}
