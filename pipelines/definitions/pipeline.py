"""How a pipeline is put together: stages of actions one after the other, with conditions around them.

    stage("Staging", deploy_stack(...), smoke(...), on_failure=rollback())

Source: CodePipeline user guide, "How do stage conditions work?" and the rule structure reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awacs import sts
from troposphere import Output, Ref, Sub
from troposphere import codepipeline as cp

from pipelines.definitions import roles
from pipelines.definitions.enums import (
    ActionProvider,
    EntryResult,
    FailureResult,
    PipelineType,
    RuleProvider,
    SuccessResult,
)
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template

    from pipelines.definitions.enums import ExecutionMode
    from pipelines.definitions.projects import Project
    from pipelines.definitions.roles import Target
    from pipelines.definitions.shared_resources import SharedResources
    from pipelines.definitions.zones import Zone

GIT_LEGAL = r"^[^:\\\"\s\x00-\x1f]{1,250}$"
"""No git branch name holds a colon, a backslash or a control character (git-check-ref-format). What passes
stands unchanged in the JSON that hands it to a build: it cannot end its text, and to add a key it would need
a colon. Git would allow a double quote and rarer white space; such a branch ends here, with this rule."""


@dataclass(frozen=True, slots=True)
class Together:
    """Actions that run at the same time."""

    actions: tuple[cp.Actions, ...]


Step = cp.Actions | Together | tuple[cp.Actions, ...]
"""An action, some at the same time, or some one after the other."""


def together(*actions: cp.Actions) -> Together:
    """Run these at the same time."""
    return Together(actions)


def stage(
    name: str,
    *steps: Step,
    before: cp.BeforeEntryConditions | None = None,
    after: cp.SuccessConditions | None = None,
    on_failure: cp.FailureConditions | None = None,
) -> cp.Stages:
    """A stage that takes its steps one after the other.

    Args:
        name: The stage's name.
        steps: What it does; run orders follow from their order.
        before: What must hold for the stage to begin.
        after: What must hold for the stage to count as a success.
        on_failure: What to do when it fails.
    """
    actions = []
    for order, group in enumerate((group for step in steps for group in _groups(step)), start=1):
        for action in group:
            action.RunOrder = order
            actions.append(action)
    around = {"BeforeEntry": before, "OnSuccess": after, "OnFailure": on_failure}
    present: dict[str, Any] = {key: value for key, value in around.items() if value}
    return cp.Stages(Name=name, Actions=actions, **present)


def rollback() -> cp.FailureConditions:
    """Go back to what last succeeded in this stage."""
    return cp.FailureConditions(Result=FailureResult.ROLLBACK.value)


def deployment_window(cron: str, time_zone: str) -> cp.BeforeEntryConditions:
    """Begin in these minutes; outside of them the rule waits for the next (rule reference, DeploymentWindow).

    CloudFormation knows no time-out for a rule, so CodePipeline's own holds; when it is over the stage fails.

    Args:
        cron: Seven fields, seconds first; the seconds are always `*`.
        time_zone: As `Europe/Berlin`.
    """
    rule = _rule("Window", RuleProvider.DEPLOYMENT_WINDOW, {"Cron": cron, "TimeZone": time_zone})
    return cp.BeforeEntryConditions(Conditions=[_condition(EntryResult.FAIL, rule)])


def only_if(variable: str, value: str) -> cp.BeforeEntryConditions:
    """Skip the stage unless the variable has this value."""
    configuration = {"Variable": variable, "Operator": "EQ", "Value": value}
    rule = _rule("OnlyIf", RuleProvider.VARIABLE_CHECK, configuration)
    return cp.BeforeEntryConditions(Conditions=[_condition(EntryResult.SKIP, rule)])


def git_legal(variable: str) -> cp.BeforeEntryConditions:
    """Begin only if the variable could be a git branch's name."""
    configuration = {"Variable": variable, "Operator": "MATCHES", "Value": GIT_LEGAL}
    rule = _rule("BranchName", RuleProvider.VARIABLE_CHECK, configuration)
    return cp.BeforeEntryConditions(Conditions=[_condition(EntryResult.FAIL, rule)])


def bake(target: Target, *, alarms: Mapping[str, str], minutes: int) -> cp.SuccessConditions:
    """Watch metric alarms for some minutes after the stage succeeded; roll back if one rings.

    One rule each, at most five (CodePipeline API, Condition). Never a composite alarm: DescribeAlarms returns
    metric alarms alone unless it is asked for others, and whether the rule asks is not documented.

    Args:
        target: The account that the alarms are in.
        alarms: Their names by the names of their rules.
        minutes: How long; the rules of a condition are evaluated together.
    """
    rules = [
        _rule(
            name,
            RuleProvider.CLOUDWATCH_ALARM,
            {"AlarmName": alarm, "AlarmStates": "ALARM", "WaitTime": str(minutes)},
            RoleArn=target.deployment_role,
        )
        for name, alarm in alarms.items()
    ]
    return cp.SuccessConditions(Conditions=[_condition(SuccessResult.ROLLBACK, *rules)])


def _groups(step: Step) -> list[tuple[cp.Actions, ...]]:
    if isinstance(step, Together):
        return [step.actions]
    return [(action,) for action in step] if isinstance(step, tuple) else [(step,)]


def _condition(result: EntryResult | SuccessResult, *rules: cp.RuleDeclaration) -> cp.Condition:
    return cp.Condition(Result=result.value, Rules=list(rules))


def _rule(
    name: str, provider: RuleProvider, configuration: Mapping[str, str | AWSHelperFn], **rest: Any
) -> cp.RuleDeclaration:
    kind = cp.RuleTypeId(Category="Rule", Owner="AWS", Provider=provider.value, Version="1")
    return cp.RuleDeclaration(Name=name, RuleTypeId=kind, Configuration=dict(configuration), **rest)


def add_pipeline(
    template: Template,
    shared: SharedResources,
    zone: Zone,
    name: str,
    *stages: cp.Stages,
    mode: ExecutionMode,
    runs: Sequence[Project],
    acts_as: Sequence[Target] = (),
    asks: bool = False,
    may: Sequence[Permission] = (),
    triggers: Sequence[cp.PipelineTriggerDeclaration] = (),
    variables: Sequence[cp.VariableDeclaration] = (),
) -> cp.Pipeline:
    """Add a pipeline, its role and an output with its name.

    Args:
        template: Where it goes.
        shared: What it works with.
        zone: Whose artifact store it uses, and whose role it is.
        name: Its logical id.
        stages: What it does.
        mode: What happens when an execution starts while another runs.
        runs: The builds that its actions run.
        acts_as: The targets whose deployment role its actions take on.
        asks: Whether it has an approval.
        may: What its role may do beside.
        triggers: What starts it, beside people and schedules.
        variables: What a start may set.
    """
    role = roles.add_service_role(
        template,
        name,
        "codepipeline.amazonaws.com",
        [*_permissions(shared, zone, runs, acts_as, asks=asks), *may],
        path=zone.role_path,
    )
    lists = {"Triggers": list(triggers), "Variables": list(variables)}
    present: dict[str, Any] = {key: value for key, value in lists.items() if value}
    pipeline = cp.Pipeline(
        name,
        PipelineType=PipelineType.V2.value,
        ExecutionMode=mode.value,
        RoleArn=roles.arn(role),
        ArtifactStore=zone.artifacts.store(),
        Stages=list(stages),
        RestartExecutionOnUpdate=False,
        **present,
    )
    template.add_resource(pipeline)
    template.add_output(Output(f"{name}Name", Description=f"The pipeline {name}", Value=Ref(pipeline)))
    return pipeline


def on_push(*, includes: Sequence[str], excludes: Sequence[str] = ()) -> cp.PipelineTriggerDeclaration:
    """Return a trigger that starts on a push to a branch that one of the globs names.

    Source: CodePipeline user guide, "Add trigger with code push or pull request event types".
    """
    without: dict[str, Any] = {"Excludes": list(excludes)} if excludes else {}
    branches = cp.GitBranchFilterCriteria(Includes=list(includes), **without)
    git = cp.GitConfiguration(SourceActionName="Checkout", Push=[cp.GitPushFilter(Branches=branches)])
    return cp.PipelineTriggerDeclaration(ProviderType=ActionProvider.CONNECTION.value, GitConfiguration=git)


def arn_of(pipeline: cp.Pipeline) -> Sub:
    """Return a pipeline's ARN; CloudFormation gives its name alone."""
    return Sub(
        f"arn:${{AWS::Partition}}:codepipeline:${{AWS::Region}}:${{AWS::AccountId}}:${{{pipeline.title}}}"
    )


def _permissions(
    shared: SharedResources, zone: Zone, runs: Sequence[Project], acts_as: Sequence[Target], *, asks: bool
) -> list[Permission]:
    cross = Permission(
        "ActThere",
        "Its actions in target accounts take on these roles, and no others.",
        [sts.AssumeRole],
        [target.deployment_role for target in acts_as],
    )
    return [
        *zone.artifacts.permissions(),
        shared.source_permission(),
        *[project.start() for project in runs],
        *([cross] if acts_as else []),
        *(shared.approvals.permissions() if asks else []),
    ]
