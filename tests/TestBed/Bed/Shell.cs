using System.Diagnostics;

namespace RagOperator.TestBed.Bed;

/// <summary>Runs commands to their end.</summary>
internal static class Shell
{
    public static async Task<CommandResult> RunAsync(string file, IEnumerable<string> args, string? input = null, CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(file) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            var result = (await output, await error);
            await process.WaitForExitAsync(cancellationToken);
            return new CommandResult(process.ExitCode, result.Item1, result.Item2);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>A line of sh.</summary>
    public static async Task ShAsync(string script) => (await RunAsync("/bin/sh", ["-ec", script])).OrThrow();
}
