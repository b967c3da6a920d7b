"""The pipelines of branches: stacks, smoke tests, previews, and removal.

Every branch but the release branch gets a stack, a smoke test and a docs preview. A stack is removed on
request after an approval, and daily where nobody pushes any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline, sqs
from troposphere import GetAtt, Ref, Sub
from troposphere.cloudwatch import Alarm
from troposphere.codepipeline import VariableDeclaration
from troposphere.scheduler import DeadLetterConfig, FlexibleTimeWindow, Schedule, Target

from pipelines.definitions import roles
from pipelines.definitions.actions import (
    EXECUTION,
    approve,
    checkout,
    create_or_replace,
    delete_stack,
    in_folder,
    run_build,
    smoke,
)
from pipelines.definitions.artifacts import BUILT, NAMED, SOURCE, template_configuration, template_path
from pipelines.definitions.branch_turns import add_branch_turns, await_turn, let_look
from pipelines.definitions.build_stage import build_stage
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, git_legal, on_push, stage
from pipelines.definitions.shared_resources import Event, add_notifications
from templates.capabilities import undelivered_events
from templates.capabilities.docs_distribution import BRANCHES
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template
    from troposphere.codepipeline import Pipeline

    from pipelines.definitions.roles import Targets
    from pipelines.definitions.shared_resources import SharedResources

STACK = "#{Name.STACK_NAME}"
PREVIEW = f"{BRANCHES}{STACK}"
"""The branch's folder of the docs site."""


def add_branch_pipeline(template: Template, shared: SharedResources, targets: Targets) -> Pipeline:
    """Add it. Executions run side by side, so pushes to one branch take turns in the stage Name."""
    turns = add_branch_turns(template, shared.branches)
    tools, builds, target = shared.tools, shared.branch_builds, targets.branch
    name = {"BRANCH": "#{Source.BranchName}", "COMMIT": "#{Source.CommitId}", "EXECUTION": EXECUTION}
    pipeline = add_pipeline(
        template,
        shared,
        shared.branches,
        "BranchPipeline",
        stage("Source", checkout(shared.connection_arn, tools.repository, tools.release_branch)),
        build_stage(builds),
        stage(
            "Name",
            run_build(
                "Name",
                builds.name.name,
                reads=[SOURCE, BUILT],
                writes=[NAMED],
                variables=name,
                namespace="Name",
            ),
            await_turn(turns),
            before=git_legal("#{Source.BranchName}"),
        ),
        stage(
            "Deploy",
            create_or_replace(
                "Deploy-payments",
                target,
                stack=STACK,
                template=template_path("branch", "payments"),
                settings=template_configuration(NAMED, "branch", "payments"),
                namespace="Deployed",
            ),
        ),
        stage("Smoke", smoke(target, machine="#{Deployed.SmokeWorkflowArn}", namespace="Smoke")),
        stage(
            "Docs",
            run_build("Preview", builds.preview.name, reads=[SOURCE, BUILT], variables={"FOLDER": PREVIEW}),
        ),
        mode=ExecutionMode.PARALLEL,
        runs=[builds.build, builds.money_path, builds.name, builds.preview],
        acts_as=[target],
        may=turns.permissions(),
        triggers=[on_push(includes=["**"], excludes=[tools.release_branch])],
    )
    let_look(template, turns, arn_of(pipeline))
    _let_name_see_the_push(template, shared, pipeline)
    add_notifications(template, pipeline, shared.approvals, [Event.EXECUTION_FAILED])
    return pipeline


def _let_name_see_the_push(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    see_push = Permission(
        "ThisPush", "Says who pushed which commit.", [codepipeline.ListActionExecutions], [arn_of(pipeline)]
    )
    roles.allow_later(template, "NamePush", shared.branch_builds.name.role, [see_push])


VARIABLE = "branch"
NOT_STARTED = "ExpiryNotStarted"
"""The queue of the schedule's turns that could not be started, and its alarm."""


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
    queue = undelivered_events.add_queue(template, NOT_STARTED)
    start = Permission(
        "Start", "Starts this one pipeline.", [codepipeline.StartPipelineExecution], [arn_of(pipeline)]
    )
    keep = Permission(
        "Keep",
        "Says why it could not be started (EventBridge Scheduler user guide, dead-letter queue).",
        [sqs.SendMessage],
        [GetAtt(queue, "Arn")],
    )
    role = roles.add_service_role(
        template, "ExpirySchedule", "scheduler.amazonaws.com", [start, keep], path=shared.releases.role_path
    )
    schedule = Schedule(
        "ExpirySchedule",
        Description=Sub("Looks for expired branch stacks (${AWS::StackName})"),
        ScheduleExpression=shared.tools.branch_expiry_check,
        FlexibleTimeWindow=FlexibleTimeWindow(Mode="OFF"),
        Target=Target(
            Arn=arn_of(pipeline),
            RoleArn=roles.arn(role),
            DeadLetterConfig=DeadLetterConfig(Arn=GetAtt(queue, "Arn")),
        ),
    )
    template.add_resource(schedule)
    template.add_resource(
        Alarm(
            f"{NOT_STARTED}Alarm",
            AlarmDescription="The pipeline that proposes expired branch stacks could not be started: a queue "
            "says why. Runbook: docs/operations/runbooks/sweep-failing.md",
            ComparisonOperator="GreaterThanThreshold",
            Threshold=0,
            EvaluationPeriods=5,
            DatapointsToAlarm=1,
            TreatMissingData="notBreaching",
            AlarmActions=[shared.approvals.topic_arn],
            **undelivered_events.waiting(NOT_STARTED).alarm_properties(),
        )
    )
