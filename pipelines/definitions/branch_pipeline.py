"""The branch pipeline: every branch but the release branch gets a stack, a smoke test and a docs preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline

from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, checkout, create_or_replace, run_build, smoke
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.artifacts import BUILT, NAMED, SOURCE, template_configuration, template_path
from pipelines.definitions.branch_turns import add_branch_turns, await_turn, let_look
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, git_legal, on_push, stage
from templates.capabilities.docs_distribution import BRANCHES
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template
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
        stage("Build", run_build("Build", builds.build.name, writes=[BUILT])),
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
        runs=[builds.build, builds.name, builds.preview],
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
