using FluentValidation;
using RagOperator.Api.V1Alpha1;

namespace RagOperator.Api.Validation;

/// <summary>Rules about each field by itself. What holds between fields is in the classes named ...Rules.</summary>
internal sealed class SpecValidator : AbstractValidator<RagDeploymentSpec>
{
    public SpecValidator()
    {
        RuleFor(static s => s.Components).MustHold(1, SpecLimits.Components, "components");
        RuleForEach(static s => s.Components).SetValidator(new ComponentValidator());
        RuleFor(static s => s.Traffic!.Settle).MustLast(TimeSpan.Zero, TimeSpan.FromMinutes(10)).When(static s => s.Traffic is not null);
        RuleFor(static s => s.FeatureFlags!).SetValidator(new FeatureFlagsValidator()).When(static s => s.FeatureFlags is not null);
        RuleFor(static s => s.Rollout!).SetValidator(new RolloutValidator()).When(static s => s.Rollout is not null);
        RuleFor(static s => s.Rollback!).SetValidator(new RollbackValidator()).When(static s => s.Rollback is not null);
        RuleFor(static s => s.Sla!).SetValidator(new SlaValidator()).When(static s => s.Sla is not null);
    }
}

internal sealed class ComponentValidator : AbstractValidator<ComponentSpec>
{
    public ComponentValidator()
    {
        RuleFor(static c => c.Name).MustBeName();
        RuleFor(static c => c.DependsOn).MustHold(0, SpecLimits.Components, "names");
        RuleFor(static c => c.Replicas).MustBeWithin(0, SpecLimits.Replicas);
        RuleFor(static c => c.CanaryReplicas).MustBeWithin(1, SpecLimits.Replicas);
        RuleFor(static c => c.ProgressDeadline).MustLast(TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
        RuleFor(static c => c.MinReadySeconds).MustBeWithin(0, SpecLimits.MinReadySeconds);
        RuleFor(static c => c.Ports).MustHold(0, SpecLimits.Ports, "ports");
        RuleForEach(static c => c.Ports).SetValidator(new PortValidator());
        RuleFor(static c => c.External!).SetValidator(new ExternalValidator()).When(static c => c.External is not null);
    }
}

internal sealed class PortValidator : AbstractValidator<PortSpec>
{
    public PortValidator()
    {
        RuleFor(static p => p.Name).MustBeLabel();
        RuleFor(static p => p.Port).MustBeWithin(1, 65535);
        RuleFor(static p => p.TargetPort).MustBeTargetPort();
        RuleFor(static p => p.Protocol).MustBeOneOf("TCP", "UDP", "SCTP");
        RuleFor(static p => p.AppProtocol).MustBeAppProtocol();
    }
}

internal sealed class ExternalValidator : AbstractValidator<ExternalSpec>
{
    public ExternalValidator()
    {
        RuleFor(static e => e.Service).MustBeName();
        RuleFor(static e => e.Port).MustBeWithin(1, 65535);
    }
}

internal sealed class FeatureFlagsValidator : AbstractValidator<FeatureFlagsSpec>
{
    public FeatureFlagsValidator()
    {
        RuleFor(static f => f.DeliverTo).MustHold(1, SpecLimits.Components, "names, or be left out for the traffic component");
        RuleFor(static f => f.Flags).MustHold(0, SpecLimits.Flags, "flags");
        RuleForEach(static f => f.Flags).ChildRules(static flag => flag.RuleFor(static f => f.Name).MustBeLabel());
    }
}

internal sealed class RolloutValidator : AbstractValidator<RolloutSpec>
{
    public RolloutValidator()
    {
        RuleFor(static r => r.ProgressDeadline).MustLast(TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
        RuleFor(static r => r.RetireDelay).MustLast(TimeSpan.Zero, TimeSpan.FromDays(7));
        RuleFor(static r => r.Steps).MustHold(1, SpecLimits.Steps, "steps, or be left out for 5, 10, 50 and 100 percent");
        RuleForEach(static r => r.Steps).SetValidator(new StepValidator());
    }
}

internal sealed class StepValidator : AbstractValidator<StepSpec>
{
    public StepValidator()
    {
        RuleFor(static s => s.Name).MustBeLabel();
        RuleFor(static s => s.Weight).MustBeWithin(1, 100);
        RuleFor(static s => s.Hold).MustLast(TimeSpan.Zero, TimeSpan.FromDays(365));
        RuleFor(static s => s.Approval).MustBeOneOf("Required", "NotRequired");
        RuleFor(static s => s.Flags).MustHold(0, SpecLimits.Flags, "names");
    }
}

internal sealed class RollbackValidator : AbstractValidator<RollbackSpec>
{
    public RollbackValidator()
    {
        RuleFor(static r => r.KeepFailedPods).MustLast(TimeSpan.Zero, TimeSpan.FromDays(30));
        RuleFor(static r => r.UndoWindow).MustLast(TimeSpan.Zero, TimeSpan.FromDays(365));
    }
}

internal sealed class SlaValidator : AbstractValidator<SlaSpec>
{
    public SlaValidator()
    {
        RuleFor(static s => s.Interval).MustLast(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        RuleFor(static s => s.WarmUp).MustLast(TimeSpan.Zero, TimeSpan.FromDays(7));
        RuleFor(static s => s.NoDataTimeout).MustLast(TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        RuleFor(static s => s.Metrics).MustHold(0, SpecLimits.Metrics, "metrics");
        RuleForEach(static s => s.Metrics).SetValidator(new MetricValidator());
        RuleFor(static s => s.Volume!).ChildRules(static volume =>
        {
            volume.RuleFor(static v => (string?)v.Query).MustBeQuery().OverridePropertyName(nameof(VolumeSpec.Query));
            volume.RuleFor(static v => v.Min).Must(static min => min >= 1).WithMessage("must be at least 1");
        }).When(static s => s.Volume is not null);
    }
}

internal sealed class MetricValidator : AbstractValidator<MetricSpec>
{
    public MetricValidator()
    {
        RuleFor(static m => m.Name).MustBeLabel();
        RuleFor(static m => m.Query).MustBeQuery();
        RuleFor(static m => m.Window).MustLast(TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        RuleFor(static m => m.FailAfter).MustBeWithin(1, SpecLimits.FailAfter);
        RuleFor(static m => m.Steps).MustHold(1, SpecLimits.Steps, "names, or be left out for all steps");
        RuleFor(static m => m.OnBreach).MustBeOneOf("Rollback", "Hold", "Report");
        RuleFor(static m => m.Limit!).SetValidator(new LimitValidator()).When(static m => m.Limit is not null);
    }
}

internal sealed class LimitValidator : AbstractValidator<LimitSpec>
{
    public LimitValidator()
    {
        RuleFor(static l => l.Max).MustBeLimit();
        RuleFor(static l => l.Min).MustBeLimit();
        RuleFor(static l => l.MaxIncrease).MustBeDistance();
        RuleFor(static l => l.MaxDecrease).MustBeDistance();
        RuleFor(static l => l.MaxIncreasePercent).MustBePercent();
        RuleFor(static l => l.MinIncreasePercent).MustBePercent();
    }
}
