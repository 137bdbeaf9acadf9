using RagOperator.Abstractions.Models;
using RagOperator.Engine.Contracts;
using RagOperator.Operator.Children;
using RagOperator.Operator.Tests.Support;

namespace RagOperator.Operator.Tests.Children;

public sealed class OwnershipTests
{
    [Theory]
    [InlineData("ragoperator.dev/v1alpha1", "RagDeployment", "assistant", "uid-1", true, Ownership.Ours)]
    [InlineData("ragoperator.dev/v1alpha1", "RagDeployment", "assistant", "uid-0", true, Ownership.EarlierUid)]
    [InlineData("ragoperator.dev/v1beta1", "RagDeployment", "assistant", "uid-0", true, Ownership.EarlierUid)]
    [InlineData("ragoperator.dev/v1alpha1", "RagDeployment", "other", "uid-0", true, Ownership.Foreign)]
    [InlineData("apps/v1", "RagDeployment", "assistant", "uid-0", true, Ownership.Foreign)]
    [InlineData("apps/v1", "Deployment", "assistant", "uid-0", true, Ownership.Foreign)]
    [InlineData("ragoperator.dev/v1alpha1", "RagDeployment", "assistant", "uid-1", false, Ownership.Foreign)]
    public void OwnershipOf_goes_by_the_controller(string apiVersion, string kind, string name, string uid, bool controller, Ownership expected)
    {
        var child = Child("assistant");
        child.Metadata.OwnerReferences = [new() { ApiVersion = apiVersion, Kind = kind, Name = name, Uid = uid, Controller = controller }];

        Assert.Equal(expected, Sample.Owner.OwnershipOf(child));
    }

    [Theory]
    [InlineData("assistant", "assistant", null, null, Ownership.Orphan)]
    [InlineData("assistant-api", "assistant", "api", null, Ownership.Orphan)]
    [InlineData("assistant-api-bcdfghjklm", "assistant", "api", "bcdfghjklm", Ownership.Orphan)]
    [InlineData("assistant-metrics", "assistant", null, null, Ownership.Foreign)]
    [InlineData("grafana", "assistant", "api", "bcdfghjklm", Ownership.Foreign)]
    [InlineData("assistant", "other", null, null, Ownership.Foreign)]
    [InlineData("assistant", null, null, null, Ownership.Foreign)]
    public void OwnershipOf_a_child_without_owner_goes_by_name_and_labels_together(
        string name, string? label, string? component, string? revision, Ownership expected)
    {
        var child = Child(label);
        child.Metadata.Name = name;
        foreach (var (key, value) in new[] { ("ragoperator.dev/component", component), ("ragoperator.dev/revision", revision) })
        {
            if (value is not null) child.Metadata.Labels![key] = value;
        }

        Assert.Equal(expected, Sample.Owner.OwnershipOf(child));
    }

    [Fact]
    public void Holder_is_the_controller_else_the_helm_release_else_the_newest_writer()
    {
        var taken = new V1Service();
        Assert.Equal("somebody else", NameHolder.Of(taken));
        taken.Metadata.ManagedFields =
        [
            new() { Manager = "kubectl-client-side-apply", Time = DateTimeOffset.UnixEpoch },
            new() { Manager = "kube-controller-manager", Subresource = "status", Time = DateTimeOffset.UnixEpoch.AddHours(2) },
            new() { Manager = "kubectl-edit", Time = DateTimeOffset.UnixEpoch.AddHours(1) },
        ];
        Assert.Equal("manager kubectl-edit", NameHolder.Of(taken));
        taken.Metadata.Annotations = new() { ["meta.helm.sh/release-name"] = "web" };
        Assert.Equal("Helm release web", NameHolder.Of(taken));
        taken.Metadata.OwnerReferences = [new() { Kind = "Rollout", Name = "r", Controller = true }];
        Assert.Equal("Rollout r", NameHolder.Of(taken));
    }

    private static V1Service Child(string? label) => new()
    {
        Metadata = new() { Name = "assistant-api", Labels = label is null ? null : new() { ["ragoperator.dev/name"] = label } },
    };
}
