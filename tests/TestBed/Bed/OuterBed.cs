using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RagOperator.TestBed.Bed;

/// <summary>The process outside: makes the namespaces, waits, and sees to it that all of it ends with this process.</summary>
internal static class OuterBed
{
    public static int Run(BedOptions options)
    {
        if (Environment.UserName != "root")
        {
            Console.Error.WriteLine("bed: needs root (namespaces, containers)");
            return 77;
        }

        foreach (var binary in (string[])["kube-apiserver", "kubectl", "kubelet"])
        {
            if (File.Exists(BedPaths.Binary(binary)))
                continue;
            Console.Error.WriteLine($"bed: no {binary} in {BedPaths.Cache}: run tests/TestBed/setup.sh first");
            return 69;
        }

        foreach (var folder in BedPaths.Covered)
            Directory.CreateDirectory(folder);

        Cgroups.RemoveEmpty();

        // The chain that a SIGKILL of this process runs along: pdeathsig takes unshare, --kill-child takes the namespace's first
        // process, and with that the kernel ends every other one and drops the mounts. tini is that first process: it reaps orphans.
        var start = new ProcessStartInfo("setpriv")
        {
            ArgumentList =
            {
                "--pdeathsig", "KILL", "--",
                "unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--",
                "tini", "--", Environment.ProcessPath!, "inside",
                "--nodes", options.HollowNodes > 0 ? $"hollow={options.HollowNodes}" : options.RealNode ? "real" : "none",
                "--prometheus", options.Prometheus ? "yes" : "no",
                "--gateway", options.Gateway ? "yes" : "no",
                "--scrape-interval", options.ScrapeInterval,
            },
        };
        if (options.Images is { } images)
            start.ArgumentList.Add($"--images={images}");
        if (options.KeepLogs is { } logs)
            start.ArgumentList.Add($"--keep-logs={logs}");
        start.ArgumentList.Add("--");
        foreach (var word in options.Command)
            start.ArgumentList.Add(word);

        // pdeathsig means the death of the *thread* that forked: this is the main thread, which lives as long as the process.
        using var child = Process.Start(start)!;
        var signals = 0;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            // unshare blocks SIGTERM itself; its child, tini, hands it on. The second request is not a polite one.
            if (Interlocked.Increment(ref signals) > 1)
                Signals.Send(child.Id, Signals.Kill);
            else
                foreach (var pid in Signals.ChildrenOf(child.Id))
                    Signals.Send(pid, Signals.Terminate);
        }

        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        child.WaitForExit();
        Cgroups.RemoveEmpty();
        return child.ExitCode;
    }
}
