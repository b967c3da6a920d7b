"""Removal of branch stacks: on request after an approval, and daily for those that nobody pushes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline
from troposphere import Ref, Sub
from troposphere.codepipeline import VariableDeclaration
from troposphere.scheduler import FlexibleTimeWindow, Schedule, Target

from pipelines.definitions import roles
from pipelines.definitions.actions import approve, checkout, delete_stack, in_folder, run_build
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, git_legal, stage
from templates.capabilities.docs_distribution import BRANCHES
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template
    from troposphere.codepipeline import Pipeline

    from pipelines.definitions.roles import Targets
    from pipelines.definitions.shared_resources import SharedResources

VARIABLE = "branch"


def add_remove_branch_pipeline(template: Template, shared: SharedResources, targets: Targets) -> Pipeline:
    """Add it. It acts as a role that can only delete branch stacks, whatever its variable says."""
    tools, builds = shared.tools, shared.builds
    branch = "#{variables.branch}"
    stack = "#{Name.STACK_NAME}"
    pipeline = add_pipeline(
        template,
        shared,
        shared.releases,
        "RemoveBranchPipeline",
        stage("Source", checkout(shared.connection_arn, tools.repository, tools.release_branch)),
        stage(
            "Name",
            run_build("Name", builds.removal.name, variables={"BRANCH": branch}, namespace="Name"),
            before=git_legal(branch),
        ),
        stage(
            "Approve",
            approve(
                topic=shared.approvals.topic_arn,
                evidence=in_folder(shared.sites.previews.url, "Previews", f"{BRANCHES}{stack}/index.html"),
                summary="#{Name.SUMMARY}",
                minutes=tools.approval_hours * 60,
            ),
        ),
        stage(
            "Delete",
            delete_stack(targets.removal, stack=stack),
            run_build("Remove-preview", builds.unpublish.name, variables={"FOLDER": f"{BRANCHES}{stack}"}),
        ),
        mode=ExecutionMode.PARALLEL,
        runs=[builds.removal, builds.unpublish],
        acts_as=[targets.removal],
        asks=True,
        variables=[
            VariableDeclaration(
                Name=VARIABLE, Description="The branch whose stack is removed, as git calls it"
            )
        ],
    )
    wanted = [Event.APPROVAL_NEEDED, Event.EXECUTION_FAILED]
    add_notifications(template, pipeline, shared.approvals, wanted)
    return pipeline


def add_expiry_pipeline(template: Template, shared: SharedResources, removal: Pipeline) -> Pipeline:
    """Add the pipeline that proposes expired branch stacks for removal, and the schedule that starts it."""
    tools, builds = shared.tools, shared.builds
    variables: dict[str, str | AWSHelperFn] = {
        "EXPIRY_DAYS": str(tools.branch_expiry_days),
        "REMOVE_BRANCH_PIPELINE": Ref(removal),
    }
    pipeline = add_pipeline(
        template,
        shared,
        shared.releases,
        "ExpiryPipeline",
        stage("Source", checkout(shared.connection_arn, tools.repository, tools.release_branch)),
        stage("Expire", run_build("Expire", builds.expiry.name, variables=variables)),
        mode=ExecutionMode.SUPERSEDED,
        runs=[builds.expiry],
    )
    propose = Permission(
        "Propose",
        "Starts the removal of an expired branch stack, which asks a person, and skips those under way.",
        [
            codepipeline.StartPipelineExecution,
            codepipeline.ListPipelineExecutions,
            codepipeline.GetPipelineExecution,
        ],
        [arn_of(removal)],
    )
    roles.allow_later(template, "ExpiryProposals", builds.expiry.role, [propose])
    _add_schedule(template, shared, pipeline)
    add_notifications(template, pipeline, shared.approvals, [Event.EXECUTION_FAILED])
    return pipeline


def _add_schedule(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    start = Permission(
        "Start", "Starts this one pipeline.", [codepipeline.StartPipelineExecution], [arn_of(pipeline)]
    )
    role = roles.add_service_role(
        template, "ExpirySchedule", "scheduler.amazonaws.com", [start], path=shared.releases.role_path
    )
    schedule = Schedule(
        "ExpirySchedule",
        Description=Sub("Looks for expired branch stacks (${AWS::StackName})"),
        ScheduleExpression=shared.tools.branch_expiry_check,
        FlexibleTimeWindow=FlexibleTimeWindow(Mode="OFF"),
        Target=Target(Arn=arn_of(pipeline), RoleArn=roles.arn(role)),
    )
    template.add_resource(schedule)
