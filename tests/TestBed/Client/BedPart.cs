using RagOperator.TestBed.Bed;

namespace RagOperator.TestBed;

/// <summary>A part of the bed that tests take away: <c>prometheus</c>, <c>prometheus-1</c>, <c>apiserver</c>, <c>etcd</c>, <c>kubelet</c>, <c>controllers</c>, <c>scheduler</c>, <c>nginx</c>.</summary>
/// <param name="name">Its name.</param>
public sealed class BedPart(string name)
{
    /// <summary>Where it logs to.</summary>
    public string Log => Daemon.LogOf(name);

    /// <summary>Starts it, if it does not run.</summary>
    public Task StartAsync() => CommandAsync("start");

    /// <summary>Asks it to end and waits for that.</summary>
    public Task StopAsync() => CommandAsync("stop");

    /// <summary>Stops and starts it.</summary>
    public Task RestartAsync() => CommandAsync("restart");

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => CommandAsync("kill");

    /// <summary>SIGSTOP: connections stay open and nothing answers.</summary>
    public Task PauseAsync() => CommandAsync("pause");

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync() => CommandAsync("resume");

    private async Task CommandAsync(string verb)
    {
        var answer = await ControlSocket.SendAsync(BedPaths.Control, $"{verb} {name}");
        if (!answer.StartsWith("ok", StringComparison.Ordinal))
            throw new InvalidOperationException($"{verb} {name}: {answer}");
    }
}
