"""The release pipeline: what is on the release branch goes to staging, is approved, and goes to production.

The production stage prepares its own change set, because a stage rollback runs that stage again with an
earlier release's artifacts and nothing before it; `Verify` refuses unless the change set is the approved one
and the packages are those that staging runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import codepipeline

from environments.schema import load
from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, SOURCE, approve, checkout, in_folder, run_build, smoke
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.deployments import BUILT, PACKAGES, change_set, deploy_stack, execute, prepare
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, on_push
from pipelines.definitions.stages import bake, deployment_window, rollback, stage, together
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.codepipeline import Actions, Pipeline, Stages

    from pipelines.definitions.shared_resources import Workshop
    from pipelines.definitions.targets import Targets


def add_release_pipeline(template: Template, workshop: Workshop, targets: Targets) -> Pipeline:
    """Add it. Releases queue: none overtakes another, and none is dropped."""
    tools, builds = workshop.tools, workshop.builds
    pipeline = add_pipeline(
        template,
        workshop,
        "ReleasePipeline",
        stage("Source", checkout(workshop.connection_arn, tools.repository, tools.release_branch)),
        stage("Build", run_build("Build", builds.build.name, writes=[BUILT])),
        stage("Publish", run_build("Publish", builds.publish.name, reads=[SOURCE, BUILT], writes=[PACKAGES])),
        _staging(targets),
        _approve(workshop, targets),
        _production(workshop, targets),
        stage("Docs", _publish_docs(workshop, "prod")),
        mode=ExecutionMode.QUEUED,
        runs=[builds.build, builds.publish, builds.evidence, builds.verify, builds.docs],
        acts_as=[targets.staging, targets.prod],
        asks=True,
        triggers=[on_push(includes=[tools.release_branch])],
    )
    _let_builds_see_the_release(template, workshop, pipeline)
    _let_docs_see_the_releases(template, workshop, pipeline)
    add_notifications(template, pipeline, workshop.questions, list(Event))
    return pipeline


def _staging(targets: Targets) -> Stages:
    there, environment = targets.staging, load("staging")
    stack = environment.default_stack
    return stage(
        "Staging",
        deploy_stack(there, "staging", "network", environment.network_stack),
        deploy_stack(there, "staging", "payments", stack, namespace="Staging"),
        smoke(there, machine="#{Staging.SmokeWorkflowArn}", namespace="StagingSmoke"),
        on_failure=rollback(),
    )


def _approve(workshop: Workshop, targets: Targets) -> Stages:
    there, environment = targets.prod, load("prod")
    look = {
        "CHANGE_SET": change_set("review"),
        "COMMIT": "#{Source.CommitId}",
        "EXECUTION": EXECUTION,
        "STAGING_SMOKE": "#{StagingSmoke.ExecutionArn}",
    }
    return stage(
        "Approve",
        together(
            prepare(there, "prod", "network", environment.network_stack, purpose="review"),
            prepare(there, "prod", "payments", environment.default_stack, purpose="review"),
        ),
        together(
            run_build(
                "Evidence",
                workshop.builds.evidence.name,
                reads=[SOURCE, BUILT, PACKAGES],
                variables=look,
                namespace="Evidence",
            ),
            # Here, because a page that could not be published must not roll staging back.
            _publish_docs(workshop, "staging"),
        ),
        approve(
            topic=workshop.questions.topic_arn,
            evidence=in_folder(workshop.site.url, "Site", f"evidence/{EXECUTION}/index.html"),
            summary="#{Evidence.SUMMARY}",
            minutes=workshop.tools.approval_hours * 60,
        ),
    )


def _production(workshop: Workshop, targets: Targets) -> Stages:
    tools, there, environment = workshop.tools, targets.prod, load("prod")
    network, stack = environment.network_stack, environment.default_stack
    compare = {"APPROVED": change_set("review"), "PREPARED": change_set("release"), "EXECUTION": EXECUTION}
    return stage(
        "Production",
        together(
            prepare(there, "prod", "network", network),
            prepare(there, "prod", "payments", stack),
        ),
        run_build("Verify", workshop.builds.verify.name, reads=[SOURCE, PACKAGES], variables=compare),
        execute(there, "network", network),
        execute(there, "payments", stack, namespace="Production"),
        smoke(there, machine="#{Production.SmokeWorkflowArn}", namespace="ProductionSmoke"),
        before=deployment_window(tools.deployment_window.cron, tools.deployment_window.time_zone),
        after=bake(there, alarm="#{Production.HealthAlarmName}", minutes=tools.bake_minutes),
        on_failure=rollback(),
    )


def _publish_docs(workshop: Workshop, folder: str) -> Actions:
    return run_build(
        f"Publish-{folder}-docs",
        workshop.builds.docs.name,
        reads=[SOURCE, BUILT],
        variables={"FOLDER": folder},
    )


def _let_builds_see_the_release(template: Template, workshop: Workshop, pipeline: Pipeline) -> None:
    builds = workshop.builds
    for name, project, why, action in (
        (
            "Evidence",
            builds.evidence,
            "Says what came since the last release.",
            codepipeline.ListPipelineExecutions,
        ),
        ("Verify", builds.verify, "Says whether this is a rollback.", codepipeline.GetPipelineExecution),
    ):
        look = Permission("ThisRelease", why, [action], [arn_of(pipeline)])
        roles.allow_later(template, f"{name}Release", project.role, [look])


def _let_docs_see_the_releases(template: Template, workshop: Workshop, pipeline: Pipeline) -> None:
    look = Permission(
        "EveryRelease",
        "Counts deployments and failures, for the four measures of delivery on the docs site.",
        [
            codepipeline.ListPipelineExecutions,
            codepipeline.ListActionExecutions,
            codepipeline.ListRuleExecutions,
        ],
        [arn_of(pipeline)],
    )
    roles.allow_later(template, "DocsReleases", workshop.builds.docs.role, [look])
