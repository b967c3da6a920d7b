"""What all pipelines share: V2, the artifact store, a role that can do what its actions do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awacs import sts
from troposphere import Output, Ref, Sub
from troposphere import codepipeline as cp

from pipelines.definitions import roles
from pipelines.definitions.enums import ActionProvider, PipelineType
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from pipelines.definitions.enums import ExecutionMode
    from pipelines.definitions.projects import Project
    from pipelines.definitions.shared_resources import SharedResources
    from pipelines.definitions.targets import Target
    from pipelines.definitions.zones import Zone


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
