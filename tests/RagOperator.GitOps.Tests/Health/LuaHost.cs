using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace RagOperator.GitOps.Tests.Health;

/// <summary>
/// Runs a script as Argo CD does: <c>obj</c> is the object, the libraries are base and table, a table comes back. Argo CD's gopher-lua is
/// Lua 5.1; here Debian's interpreters of 5.1 and 5.4 have to agree, so that scripts keep to what both understand.
/// </summary>
public sealed class LuaHost
{
    private const string Driver = """
        local gsub, format, floor = string.gsub, string.format, math.floor
        getmetatable("").__index = nil -- no "x":upper() either: Argo CD opens no string library
        local env = {assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall, select = select,
          tonumber = tonumber, tostring = tostring, type = type, obj = obj,
          table = {concat = table.concat, insert = table.insert, remove = table.remove, sort = table.sort}}
        local chunk, problem
        if setfenv then chunk, problem = loadstring(script, "=script") else chunk, problem = load(script, "=script", "t", env) end
        if not chunk then error(problem, 0) end
        if setfenv then setfenv(chunk, env) end
        local function quote(text)
          return '"' .. gsub(gsub(text, '[\\"]', "\\%0"), "%c", function(c) return format("\\u%04x", string.byte(c)) end) .. '"'
        end
        local function encode(value)
          if type(value) == "string" then return quote(value) end
          if type(value) == "number" then return value == floor(value) and format("%.0f", value) or format("%.17g", value) end
          if type(value) ~= "table" then return tostring(value) end
          local parts = {}
          if #value > 0 or next(value) == nil then
            for _, item in ipairs(value) do parts[#parts + 1] = encode(item) end
            return "[" .. table.concat(parts, ",") .. "]"
          end
          for key, item in pairs(value) do parts[#parts + 1] = quote(key) .. ":" .. encode(item) end
          return "{" .. table.concat(parts, ",") .. "}"
        end
        io.write(encode(chunk()))
        """;

    private readonly string _file;

    private LuaHost(string file) => _file = file;

    /// <summary>The interpreter that is meant.</summary>
    public string Name => Path.GetFileName(_file);

    /// <summary>The interpreters of this machine; without any the test is skipped, and with only one it does with that.</summary>
    public static IReadOnlyList<LuaHost> All()
    {
        var found = ((string[])["lua5.1", "lua5.4"]).Select(Find).OfType<string>().Select(static f => new LuaHost(f)).ToList();
        Skip.If(found.Count == 0, "needs lua5.1 or lua5.4 (Debian packages)");
        return found;
    }

    /// <summary>Runs a script in every interpreter; they have to agree.</summary>
    /// <param name="script">The script's text.</param>
    /// <param name="obj">The object.</param>
    /// <returns>What it returned, as JSON; an empty table is an empty list, as in Argo CD.</returns>
    /// <exception cref="InvalidOperationException">The script failed.</exception>
    public static async Task<JsonElement> RunInAllAsync(string script, JsonElement obj)
    {
        JsonElement? first = null;
        foreach (var host in All())
        {
            var result = await host.RunAsync(script, obj);
            Assert.True(first is null || JsonElement.DeepEquals(first.Value, result), $"{host.Name} answers {result}, another {first}");
            first ??= result;
        }

        return first!.Value;
    }

    /// <summary>Runs a script in this interpreter.</summary>
    /// <inheritdoc cref="RunInAllAsync"/>
    public async Task<JsonElement> RunAsync(string script, JsonElement obj)
    {
        var program = new StringBuilder("local obj = ");
        Append(program, obj);
        program.Append("\nlocal script = [==========[\n").Append(script).Append("]==========]\n").Append(Driver);
        using var process = Process.Start(new ProcessStartInfo(_file, "-") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(program.ToString());
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? JsonElement.Parse(await output) : throw new InvalidOperationException($"{Name}: {await error}");
    }

    private static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists);

    /// <summary>JSON as a Lua value: numbers are floats in gopher-lua, and so they are here.</summary>
    private static void Append(StringBuilder text, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var member in value.EnumerateObject())
                {
                    text.Append('[');
                    Quote(text, member.Name);
                    text.Append("] = ");
                    Append(text, member.Value);
                    text.Append(", ");
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('{');
                foreach (var item in value.EnumerateArray())
                {
                    Append(text, item);
                    text.Append(", ");
                }

                text.Append('}');
                break;
            case JsonValueKind.String:
                Quote(text, value.GetString()!);
                break;
            case JsonValueKind.Number:
                text.Append(value.GetDouble().ToString("0.0###############", CultureInfo.InvariantCulture));
                break;
            default:
                text.Append(value.ValueKind == JsonValueKind.True ? "true" : value.ValueKind == JsonValueKind.False ? "false" : "nil");
                break;
        }
    }

    private static void Quote(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var b in Encoding.UTF8.GetBytes(value))
            _ = b is >= 0x20 and < 0x7f and not (byte)'"' and not (byte)'\\' ? text.Append((char)b) : text.Append(CultureInfo.InvariantCulture, $"\\{b:000}");
        text.Append('"');
    }
}
