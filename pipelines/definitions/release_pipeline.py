"""The release pipeline: what is on the release branch goes to staging, is approved, and goes to production.

What staging ran is recorded by the execution that smoked it, and what was reviewed by the one that asked.
`Verify` compares with these records before anything in production changes, in a stage that rolls nothing
back; where production moved since the review, the approval is asked for again. The production stage prepares
its own change sets, because a stage rollback runs that stage again with an earlier release's artifacts and
nothing before it; and it has no entry condition, so that a rollback never waits for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs import codepipeline

from environments.schema import load
from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, approve, checkout, in_folder, run_build, smoke
from pipelines.definitions.approvals_topic import Event, add_notifications
from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.deployments import (
    BUILT,
    PACKAGES,
    RECORDED,
    REVIEWED,
    REVIEWED_AGAIN,
    change_set,
    deploy_stack,
    execute,
    prepare,
)
from pipelines.definitions.enums import ExecutionMode
from pipelines.definitions.pipeline import add_pipeline, arn_of, on_push
from pipelines.definitions.stages import bake, deployment_window, only_if, rollback, stage, together
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import Template
    from troposphere.codepipeline import Actions, Pipeline, Stages

    from pipelines.definitions.shared_resources import SharedResources
    from pipelines.definitions.stages import Together
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
        stage("Publish", _publish(shared)),
        _staging(shared, targets),
        _approve(shared, targets),
        _verify(shared),
        _approve_again(shared, targets),
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


def _publish(shared: SharedResources) -> Actions:
    return run_build(
        "Publish",
        shared.builds.publish.name,
        reads=[SOURCE, BUILT],
        writes=[PACKAGES],
        variables={"COMMIT": "#{Source.CommitId}", "EXECUTION": EXECUTION},
    )


def _staging(shared: SharedResources, targets: Targets) -> Stages:
    target, environment = targets.staging, load("staging")
    stack = environment.default_stack
    return stage(
        "Staging",
        deploy_stack(target, "staging", "network", environment.network_stack),
        deploy_stack(target, "staging", "payments", stack, namespace="Staging"),
        together(
            smoke(target, machine="#{Staging.SmokeWorkflowArn}", namespace="StagingSmoke"),
            _check(shared, "Record", "record", writes=[RECORDED], namespace="Staged"),
        ),
        on_failure=rollback(),
    )


def _approve(shared: SharedResources, targets: Targets) -> Stages:
    return stage(
        "Approve",
        _review(targets),
        together(
            _evidence(shared, REVIEWED, "Evidence"),
            # Here, because a page that could not be published must not roll staging back.
            _publish_docs(shared, "staging"),
        ),
        _ask(shared, "Evidence"),
    )


def _verify(shared: SharedResources) -> Stages:
    """Add the last look before production, from when on the deployment window is open."""
    window = shared.tools.deployment_window
    return stage(
        "Verify",
        _check(
            shared,
            "Verify",
            "approved",
            records=[RECORDED, REVIEWED],
            namespace="Verify",
            variables={"EXECUTION": EXECUTION},
        ),
        before=deployment_window(window.cron, window.time_zone),
    )


def _approve_again(shared: SharedResources, targets: Targets) -> Stages:
    return stage(
        "ApproveAgain",
        _review(targets),
        _evidence(shared, REVIEWED_AGAIN, "EvidenceAgain"),
        _ask(shared, "Verify"),  # it says what moved; the evidence it links to is the new one
        _check(
            shared,
            "VerifyAgain",
            "approved-again",
            records=[RECORDED, REVIEWED_AGAIN],
            variables={"EXECUTION": EXECUTION},
        ),
        before=only_if("#{Verify.MOVED}", "yes"),
    )


def _production(shared: SharedResources, targets: Targets) -> Stages:
    target, environment = targets.prod, load("prod")
    network, stack = environment.network_stack, environment.default_stack
    return stage(
        "Production",
        together(
            prepare(target, "prod", "network", network),
            prepare(target, "prod", "payments", stack),
        ),
        _check(shared, "Verify", "prepared", variables={"PREPARED": change_set("release")}),
        execute(target, "network", network),
        execute(target, "payments", stack, namespace="Production"),
        together(
            smoke(target, machine="#{Production.SmokeWorkflowArn}", namespace="ProductionSmoke"),
            _check(shared, "Compare", "running"),
        ),
        after=bake(
            target,
            alarms={name: f"#{{Production.{name}AlarmName}}" for name in RELEASE_ALARMS},
            minutes=shared.tools.bake_minutes,
        ),
        on_failure=rollback(),
    )


def _review(targets: Targets) -> Together:
    """Prepare what an approver looks at; nothing of it is executed."""
    target, environment = targets.prod, load("prod")
    return together(
        prepare(target, "prod", "network", environment.network_stack, purpose="review"),
        prepare(target, "prod", "payments", environment.default_stack, purpose="review"),
    )


def _evidence(shared: SharedResources, artifact: str, namespace: str) -> Actions:
    """Gather the evidence, and record what it is about."""
    variables = {
        "CHANGE_SET": change_set("review"),
        "COMMIT": "#{Source.CommitId}",
        "EXECUTION": EXECUTION,
        "STAGING_SMOKE": "#{StagingSmoke.ExecutionArn}",
    }
    return run_build(
        "Evidence",
        shared.builds.evidence.name,
        reads=[SOURCE, BUILT, PACKAGES],
        writes=[artifact],
        variables=variables,
        namespace=namespace,
    )


def _ask(shared: SharedResources, namespace: str) -> Actions:
    return approve(
        topic=shared.approvals.topic_arn,
        evidence=in_folder(shared.sites.docs.url, "DocsSite", f"evidence/{EXECUTION}/index.html"),
        summary=f"#{{{namespace}.SUMMARY}}",
        minutes=shared.tools.approval_hours * 60,
    )


def _check(
    shared: SharedResources,
    name: str,
    check: str,
    *,
    records: Sequence[str] = (),
    writes: Sequence[str] = (),
    namespace: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Actions:
    """Run one of the checks of `pipelines/promotion/checks.py`.

    The records that it rests on are its inputs, so that the pipeline shows them; it reads them by what
    CodePipeline says of the actions that made them (`pipelines/promotion/release_record.py`).
    """
    return run_build(
        name,
        shared.builds.verify.name,
        reads=[SOURCE, BUILT, PACKAGES, *records],
        writes=writes,
        variables={"CHECK": check, **(variables or {})},
        namespace=namespace,
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
    for name, project, why, actions in (
        (
            "Evidence",
            builds.evidence,
            "Says what came since the last release.",
            [codepipeline.ListPipelineExecutions],
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
