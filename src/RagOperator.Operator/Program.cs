using RagOperator.Operator.Hosting;
using RagOperator.Operator.Hosting.Options;

return await OperatorCommand.RunAsync(args, CommandLine.ProcessEnvironment(), Console.Out, Console.Error);
