"""The branch pipeline: every branch but the release branch gets a stack, a smoke test and a docs preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline

from pipelines.core.docs_folders import BRANCHES
from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, checkout, create_or_replace, run_build, smoke
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.deployments import BUILT, NAMED, template_configuration, template_path
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, on_push
from pipelines.definitions.stages import git_legal, stage
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.codepipeline import Pipeline

    from pipelines.definitions.shared_resources import SharedResources
    from pipelines.definitions.targets import Targets

STACK = "#{Name.STACK_NAME}"
PREVIEW = f"{BRANCHES}{STACK}"
"""The branch's folder of the docs site."""


def add_branch_pipeline(template: Template, shared: SharedResources, targets: Targets) -> Pipeline:
    """Add it. Executions run side by side, so pushes to one branch take turns in the stage Name."""
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
        triggers=[on_push(includes=["**"], excludes=[tools.release_branch])],
    )
    _let_pushes_take_turns(template, shared, pipeline)
    add_notifications(template, pipeline, shared.approvals, [Event.EXECUTION_FAILED])
    return pipeline


def _let_pushes_take_turns(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    see_pushes = Permission(
        "OtherPushes",
        "Sees whether an earlier push to the branch still deploys, and whether a later one came.",
        [codepipeline.ListPipelineExecutions, codepipeline.ListActionExecutions],
        [arn_of(pipeline)],
    )
    roles.allow_later(template, "NameTurns", shared.branch_builds.name.role, [see_pushes])
