using RagOperator.ClusterTests.Infrastructure;
using RagOperator.ClusterTests.Leadership;
using RagOperator.TestBed;

namespace RagOperator.ClusterTests.Input;

/// <summary>Told to listen where somebody else does, the operator ends, and its last words are the reason.</summary>
public sealed class TakenPortTests
{
    [SkippableFact]
    public async Task Port_that_is_taken_is_named_and_the_process_ends_with_2()
    {
        await using var space = await TestSpace.CreateAsync("taken-port");
        await space.UntilAsync(async () => await OperatorPair.GetAsync(space.Port, "/healthz") == "ok\n", TimeSpan.FromSeconds(30), "the first operator listens");
        var log = $"{space.Operator.Log}.second";
        File.Delete(log); // logs are appended to, and this one may be of an earlier run
        await using var second = OperatorProcess.Start(log,
        [
            "--kubeconfig", space.Bed.KubeConfig, "--namespace", space.Namespace, "--http.address", "127.0.0.1", "--http.port", $"{space.Port}",
        ]);

        await space.UntilAsync(() => Task.FromResult(second.ExitCode is not null), TimeSpan.FromSeconds(30), "the second operator ended");

        Assert.Equal(2, second.ExitCode);
        var fatal = Assert.Single(second.LogLines("\"level\":\"fatal\""));
        Assert.Contains($"Cannot listen at http.address 127.0.0.1, http.port {space.Port}", fatal, StringComparison.Ordinal);
        Assert.NotNull(space.Operator.Pid);
    }
}
