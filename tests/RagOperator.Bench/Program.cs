using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using RagOperator.Bench;
using RagOperator.Tests.Shared;

// Figures, not tests: how often chance alone takes a healthy release back, and what a decision costs.
const int days = 100;
Console.WriteLine($"Wrong rollbacks of a healthy service in {days} days: 0.3% errors, limit 1%, window 1m, interval 30s, seed 1");
Console.WriteLine($"{"requests/s",10} {"failAfter",10} {"volume.min",11} {"breaches",9} {"too few",8} {"rollbacks",10}");
foreach (var rate in new[] { 50.0, 5, 1 })
{
    foreach (var (failAfter, volume) in new[] { (3, 0L), (5, 0L), (3, 100L), (3, 1000L) })
    {
        var traffic = new HealthyTraffic(1, rate, 0.003);
        var rollbacks = traffic.WrongRollbacks(days, failAfter, volume);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rate,10} {failAfter,10} {volume,11} {traffic.Breaches / (days * 2880.0),9:P2} {traffic.TooFew / (days * 2880.0),8:P0} {rollbacks,10}"));
    }
}

Console.WriteLine();
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance))
    .AddLogger(NullLogger.Instance)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddDiagnoser(BenchmarkDotNet.Diagnosers.MemoryDiagnoser.Default)
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
var summary = BenchmarkRunner.Run<DecisionBenchmarks>(config);
MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Default);
return summary.HasCriticalValidationErrors ? 1 : 0;
