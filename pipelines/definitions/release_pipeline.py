"""The release pipeline: what is on the release branch goes to staging, is approved, and goes to production.

Releases wait for those ahead of them (`release_turns.py`); nothing is refused that waiting or asking again
would settle. What staging ran is recorded by the execution that smoked it, and what was reviewed by the one
that asked. `Verify` compares with these records before anything in production changes, in a stage that rolls
nothing back; where production moved since the review, the approval is asked for again. The production stage
prepares its own change sets, because a stage rollback runs that stage again with an earlier release's
artifacts and nothing before it; and it has no entry condition, so that a rollback never waits for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline

from pipelines.definitions import release_stages as stages
from pipelines.definitions import release_turns, roles
from pipelines.definitions.actions import checkout
from pipelines.definitions.artifacts import PROVEN
from pipelines.definitions.build_stage import build_stage
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, on_push, stage
from pipelines.definitions.shared_resources import Event, add_notifications
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.codepipeline import Pipeline

    from pipelines.definitions.roles import Targets
    from pipelines.definitions.shared_resources import SharedResources


def add_release_pipeline(template: Template, shared: SharedResources, targets: Targets) -> None:
    """Add it. Releases queue: none overtakes another, and none is dropped."""
    tools, builds = shared.tools, shared.builds
    turns = release_turns.add_release_turns(template, shared.releases)
    pipeline = add_pipeline(
        template,
        shared,
        shared.releases,
        "ReleasePipeline",
        stage("Source", checkout(shared.connection_arn, tools.repository, tools.release_branch)),
        build_stage(builds, proven=[PROVEN]),
        stages.publish_stage(shared),
        stages.staging_stage(shared, targets),
        stages.approve_stage(shared, targets),
        stages.verify_stage(shared, turns),
        stages.approve_again_stage(shared, targets, turns),
        stages.production_stage(shared, targets),
        stage("Docs", stages.publish_docs(shared, "prod")),
        mode=ExecutionMode.QUEUED,
        runs=[builds.build, builds.money_path, builds.publish, builds.evidence, builds.verify, builds.docs],
        acts_as=[targets.staging, targets.prod],
        asks=True,
        may=turns.permissions(),
        triggers=[on_push(includes=[tools.release_branch])],
    )
    release_turns.let_look(template, turns, arn_of(pipeline))
    _let_builds_see_the_release(template, shared, pipeline)
    _let_docs_see_the_releases(template, shared, pipeline)
    add_notifications(template, pipeline, shared.approvals, list(Event))


def _let_builds_see_the_release(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    builds = shared.builds
    for name, project, why, actions in (
        (
            "Evidence",
            builds.evidence,
            "Says what came since the last release, and whether this one is past its deployment window.",
            [codepipeline.GetPipelineState, codepipeline.ListPipelineExecutions],
        ),
        (
            "Verify",
            builds.verify,
            "Says what is in production's stage, whether it is a rollback, and what an execution recorded.",
            [
                codepipeline.GetPipelineState,
                codepipeline.GetPipelineExecution,
                codepipeline.ListActionExecutions,
            ],
        ),
    ):
        see_releases = Permission("ThisRelease", why, actions, [arn_of(pipeline)])
        roles.allow_later(template, f"{name}Release", project.role, [see_releases])


def _let_docs_see_the_releases(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    see_releases = Permission(
        "EveryRelease",
        "Counts deployments and failures, for the four measures of delivery on the docs site.",
        [
            codepipeline.ListPipelineExecutions,
            codepipeline.ListActionExecutions,
            codepipeline.ListRuleExecutions,
        ],
        [arn_of(pipeline)],
    )
    roles.allow_later(template, "DocsReleases", shared.builds.docs.role, [see_releases])
