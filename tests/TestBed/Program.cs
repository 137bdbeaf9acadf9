using RagOperator.TestBed.Bed;
using RagOperator.TestBed.Images;

namespace RagOperator.TestBed;

internal static class Program
{
    private const string Usage = """
        usage: testbed run [options] -- COMMAND [ARG ...]   start a cluster, run COMMAND inside, leave nothing behind
               testbed images [--operator]                  (outside) build what pods run into artifacts/images, if older than its sources
               testbed ctl start|stop|pause|resume|restart DAEMON   (inside) command a part of the bed
        options (or environment):
          --nodes none|real|hollow=N     BED_NODES       nodes that run pods; hollow ones only say that they do (real)
          --prometheus yes|no            BED_PROMETHEUS  (yes)
          --scrape-interval 1s           BED_SCRAPE      Prometheus' interval (1s)
          --gateway yes|no               BED_GATEWAY     (yes)
          --images DIR                   BED_IMAGES      docker-archives to load (artifacts/images of the working directory, if there)
          --keep-logs DIR                BED_KEEP_LOGS   copy the parts' logs there at the end
        """;

    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["run", .. var rest]:
                if (BedOptions.TryParse(rest, out var options, out var problem))
                    return OuterBed.Run(options);
                Console.Error.WriteLine(problem);
                break;
            case ["inside", .. var rest]:
                if (BedOptions.TryParse(rest, out var inner, out _))
                    return InnerBed.RunAsync(inner).GetAwaiter().GetResult();
                break;
            case ["images", .. var which]:
                return ImageBuilder.BuildAsync(Directory.GetCurrentDirectory(), which.Contains("--operator", StringComparer.Ordinal)).GetAwaiter().GetResult();
            case ["ctl", var verb, var daemon]:
                var answer = ControlSocket.SendAsync(BedPaths.Control, $"{verb} {daemon}").GetAwaiter().GetResult();
                Console.WriteLine(answer);
                return answer.StartsWith("ok", StringComparison.Ordinal) ? 0 : 1;
            default:
                break;
        }

        Console.Error.WriteLine(Usage);
        return 64;
    }
}
