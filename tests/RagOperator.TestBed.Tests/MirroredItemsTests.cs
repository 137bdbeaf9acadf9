using System.Globalization;
using System.Text.Json.Nodes;
using RagOperator.TestBed.Cluster;

namespace RagOperator.TestBed.Tests;

/// <summary>What the bed's parts know of the cluster's objects can be read at any moment, also while objects come and go.</summary>
public sealed class MirroredItemsTests
{
    [Fact]
    public async Task Read_while_objects_come_and_go_it_is_whole_and_in_order()
    {
        var items = new MirroredItems();
        items.Replace(Enumerable.Range(0, 50).Select(static i => Pod($"stays-{i:000}")));
        var reading = true;
        var writer = Task.Run(() =>
        {
            for (var n = 0; Volatile.Read(ref reading); n++)
            {
                items.Set(Pod(string.Create(CultureInfo.InvariantCulture, $"goes-{n % 40:000}")));
                items.Remove(Pod(string.Create(CultureInfo.InvariantCulture, $"goes-{(n + 20) % 40:000}")));
            }
        });

        try
        {
            for (var round = 0; round < 20_000; round++)
            {
                var names = items.All.Select(static item => item["metadata"]!["name"]!.GetValue<string>()).ToList();
                Assert.Equal(names.Order(StringComparer.Ordinal), names);
                Assert.Equal(50, names.Count(static name => name.StartsWith("stays", StringComparison.Ordinal)));
            }
        }
        finally
        {
            Volatile.Write(ref reading, false);
            await writer;
        }
    }

    [Fact]
    public void A_new_list_takes_the_place_of_all_that_was_known()
    {
        var items = new MirroredItems();
        items.Set(Pod("old"));
        items.Replace([Pod("new")]);

        Assert.Null(items.Find("default", "old"));
        Assert.NotNull(items.Find("default", "new"));
    }

    [Fact]
    public async Task Parts_that_belong_together_end_with_the_error_of_the_first_that_ends()
    {
        var goesOn = new TaskCompletionSource();

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Together.RunAsync(goesOn.Task, Task.FromException(new InvalidDataException("this one"))));

        Assert.Equal("this one", error.Message);
    }

    private static JsonObject Pod(string name) => new() { ["metadata"] = new JsonObject { ["namespace"] = "default", ["name"] = name } };
}
