"""The release pipeline: what is on the release branch goes to staging, is approved, and goes to production.

The production stage prepares its own change set, because a stage rollback runs that stage again with an
earlier release's artifacts and nothing before it; `Verify` refuses unless the change set is the approved one
and the packages are those that staging runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs import codepipeline

from environments.schema import load
from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, approve, checkout, in_folder, run_build, smoke
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.deployments import BUILT, PACKAGES, change_set, deploy_stack, execute, prepare
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, on_push
from pipelines.definitions.stages import bake, deployment_window, rollback, stage, together
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.codepipeline import Actions, Pipeline, Stages

    from pipelines.definitions.shared_resources import SharedResources
    from pipelines.definitions.targets import Targets

RELEASE_ALARMS: Final = ("OrdersFailing", "DataApiErrors", "DataApiCrashing", "UndoFailing", "ContractBroken")
"""The alarms of the payments stack that judge a release, as they judge its canary."""


def add_release_pipeline(template: Template, shared: SharedResources, targets: Targets) -> Pipeline:
    """Add it. Releases queue: none overtakes another, and none is dropped."""
    tools, builds = shared.tools, shared.builds
    pipeline = add_pipeline(
        template,
        shared,
        shared.releases,
        "ReleasePipeline",
        stage("Source", checkout(shared.connection_arn, tools.repository, tools.release_branch)),
        stage("Build", run_build("Build", builds.build.name, writes=[BUILT])),
        stage("Publish", run_build("Publish", builds.publish.name, reads=[SOURCE, BUILT], writes=[PACKAGES])),
        _staging(targets),
        _approve(shared, targets),
        _production(shared, targets),
        stage("Docs", _publish_docs(shared, "prod")),
        mode=ExecutionMode.QUEUED,
        runs=[builds.build, builds.publish, builds.evidence, builds.verify, builds.docs],
        acts_as=[targets.staging, targets.prod],
        asks=True,
        triggers=[on_push(includes=[tools.release_branch])],
    )
    _let_builds_see_the_release(template, shared, pipeline)
    _let_docs_see_the_releases(template, shared, pipeline)
    add_notifications(template, pipeline, shared.approvals, list(Event))
    return pipeline


def _staging(targets: Targets) -> Stages:
    target, environment = targets.staging, load("staging")
    stack = environment.default_stack
    return stage(
        "Staging",
        deploy_stack(target, "staging", "network", environment.network_stack),
        deploy_stack(target, "staging", "payments", stack, namespace="Staging"),
        smoke(target, machine="#{Staging.SmokeWorkflowArn}", namespace="StagingSmoke"),
        on_failure=rollback(),
    )


def _approve(shared: SharedResources, targets: Targets) -> Stages:
    target, environment = targets.prod, load("prod")
    variables = {
        "CHANGE_SET": change_set("review"),
        "COMMIT": "#{Source.CommitId}",
        "EXECUTION": EXECUTION,
        "STAGING_SMOKE": "#{StagingSmoke.ExecutionArn}",
    }
    return stage(
        "Approve",
        together(
            prepare(target, "prod", "network", environment.network_stack, purpose="review"),
            prepare(target, "prod", "payments", environment.default_stack, purpose="review"),
        ),
        together(
            run_build(
                "Evidence",
                shared.builds.evidence.name,
                reads=[SOURCE, BUILT, PACKAGES],
                variables=variables,
                namespace="Evidence",
            ),
            # Here, because a page that could not be published must not roll staging back.
            _publish_docs(shared, "staging"),
        ),
        approve(
            topic=shared.approvals.topic_arn,
            evidence=in_folder(shared.sites.docs.url, "DocsSite", f"evidence/{EXECUTION}/index.html"),
            summary="#{Evidence.SUMMARY}",
            minutes=shared.tools.approval_hours * 60,
        ),
    )


def _production(shared: SharedResources, targets: Targets) -> Stages:
    tools, target, environment = shared.tools, targets.prod, load("prod")
    network, stack = environment.network_stack, environment.default_stack
    compare = {"APPROVED": change_set("review"), "PREPARED": change_set("release"), "EXECUTION": EXECUTION}
    return stage(
        "Production",
        together(
            prepare(target, "prod", "network", network),
            prepare(target, "prod", "payments", stack),
        ),
        run_build("Verify", shared.builds.verify.name, reads=[SOURCE, PACKAGES], variables=compare),
        execute(target, "network", network),
        execute(target, "payments", stack, namespace="Production"),
        smoke(target, machine="#{Production.SmokeWorkflowArn}", namespace="ProductionSmoke"),
        before=deployment_window(tools.deployment_window.cron, tools.deployment_window.time_zone),
        after=bake(
            target,
            alarms={name: f"#{{Production.{name}AlarmName}}" for name in RELEASE_ALARMS},
            minutes=tools.bake_minutes,
        ),
        on_failure=rollback(),
    )


def _publish_docs(shared: SharedResources, folder: str) -> Actions:
    return run_build(
        f"Publish-{folder}-docs",
        shared.builds.docs.name,
        reads=[SOURCE, BUILT],
        variables={"FOLDER": folder},
    )


def _let_builds_see_the_release(template: Template, shared: SharedResources, pipeline: Pipeline) -> None:
    builds = shared.builds
    for name, project, why, action in (
        (
            "Evidence",
            builds.evidence,
            "Says what came since the last release.",
            codepipeline.ListPipelineExecutions,
        ),
        ("Verify", builds.verify, "Says whether this is a rollback.", codepipeline.GetPipelineExecution),
    ):
        see_releases = Permission("ThisRelease", why, [action], [arn_of(pipeline)])
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
