"""The stages of the release pipeline, each with what it reads, writes, checks and asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from environments.schema import load
from pipelines.definitions.actions import (
    EXECUTION,
    approve,
    create_change_set,
    execute_change_set,
    in_folder,
    run_build,
    smoke,
)
from pipelines.definitions.artifacts import (
    BUILT,
    PACKAGES,
    PROVEN,
    RECORDED,
    REVIEWED,
    REVIEWED_AGAIN,
    SOURCE,
    template_configuration,
    template_path,
)
from pipelines.definitions.pipeline import bake, deployment_window, only_if, rollback, stage, together
from pipelines.definitions.release_turns import await_free

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere.codepipeline import Actions, Stages

    from pipelines.definitions.branch_turns import Turns
    from pipelines.definitions.pipeline import Together
    from pipelines.definitions.roles import Target, Targets
    from pipelines.definitions.shared_resources import SharedResources

AGAIN, PRODUCTION = "ApproveAgain", "Production"
REVIEW, REVIEW_AGAIN, RELEASE = "review", "review-again", "release"
"""Change sets, by the stage that makes them. A stage holds one execution at a time, so a name for each stage
is enough; making one replaces the last (action reference, CHANGE_SET_REPLACE), and so they never pile up."""
RELEASE_ALARMS: Final = ("ReleaseFailing", "ReleaseWorse", "DataApiCrashing", "ContractBroken")
"""The alarms of the payments stack that judge a release, as they judge its canary."""


def publish_stage(shared: SharedResources) -> Stages:
    """Package the functions against the published library, store them, and sign."""
    return stage(
        "Publish",
        run_build(
            "Publish",
            shared.builds.publish.name,
            reads=[SOURCE, BUILT, PROVEN],
            writes=[PACKAGES],
            variables={"COMMIT": "#{Source.CommitId}", "EXECUTION": EXECUTION},
        ),
    )


def staging_stage(shared: SharedResources, targets: Targets) -> Stages:
    """Deploy to staging, smoke it, and record what it ran."""
    target, environment = targets.staging, load("staging")
    stack = environment.default_stack
    return stage(
        "Staging",
        _prepare(target, "staging", "network", environment.network_stack),
        _execute(target, "network", environment.network_stack),
        _prepare(target, "staging", "payments", stack),
        _execute(target, "payments", stack, namespace="Staging"),
        together(
            smoke(target, machine="#{Staging.SmokeWorkflowArn}", namespace="StagingSmoke"),
            _check(shared, "Record", "record", writes=[RECORDED], namespace="Staged"),
        ),
        on_failure=rollback(),
    )


def approve_stage(shared: SharedResources, targets: Targets) -> Stages:
    """Show a person what would change in production, and wait for approval."""
    return stage(
        "Approve",
        _review(targets, REVIEW),
        together(
            _evidence(shared, REVIEW, REVIEWED, "Evidence"),
            # Here, because a page that could not be published must not roll staging back.
            publish_docs(shared, "staging"),
        ),
        _ask(shared, "Evidence"),
    )


def verify_stage(shared: SharedResources, turns: Turns) -> Stages:
    """Look a last time before production, from when on the deployment window is open."""
    window = shared.tools.deployment_window
    return stage(
        "Verify",
        await_free(turns, "Turn", [AGAIN, PRODUCTION]),
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


def approve_again_stage(shared: SharedResources, targets: Targets, turns: Turns) -> Stages:
    """Ask again where production moved since the approval."""
    return stage(
        AGAIN,
        _review(targets, REVIEW_AGAIN),
        _evidence(shared, REVIEW_AGAIN, REVIEWED_AGAIN, "EvidenceAgain"),
        _ask(shared, "Verify"),  # it says what moved; the evidence it links to is the new one
        await_free(turns, "TurnAgain", [PRODUCTION]),
        _check(
            shared,
            "VerifyAgain",
            "approved-again",
            records=[RECORDED, REVIEWED_AGAIN],
            variables={"EXECUTION": EXECUTION},
        ),
        before=only_if("#{Verify.MOVED}", "yes"),
    )


def production_stage(shared: SharedResources, targets: Targets) -> Stages:
    """Deploy what was approved, smoke it, compare it with what staging ran, and watch its alarms."""
    target, environment = targets.prod, load("prod")
    network, stack = environment.network_stack, environment.default_stack
    return stage(
        PRODUCTION,
        together(
            _prepare(target, "prod", "network", network),
            _prepare(target, "prod", "payments", stack),
        ),
        _check(shared, "Verify", "prepared", variables={"PREPARED": RELEASE}),
        _execute(target, "network", network),
        _execute(target, "payments", stack, namespace="Production"),
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


def _review(targets: Targets, change_set: str) -> Together:
    """Prepare what an approver looks at; nothing of it is executed."""
    target, environment = targets.prod, load("prod")
    return together(
        _prepare(target, "prod", "network", environment.network_stack, change_set),
        _prepare(target, "prod", "payments", environment.default_stack, change_set),
    )


def _evidence(shared: SharedResources, change_set: str, artifact: str, namespace: str) -> Actions:
    """Gather the evidence, and record what it is about."""
    variables = {
        "CHANGE_SET": change_set,
        "COMMIT": "#{Source.CommitId}",
        "EXECUTION": EXECUTION,
        "STAGING_SMOKE": "#{StagingSmoke.ExecutionArn}",
    }
    return run_build(
        "Evidence",
        shared.builds.evidence.name,
        reads=[SOURCE, BUILT, PROVEN, PACKAGES],
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
    CodePipeline says of the actions that made them (`pipelines/promotion/records.py`).
    """
    return run_build(
        name,
        shared.builds.verify.name,
        reads=[SOURCE, BUILT, PACKAGES, *records],
        writes=writes,
        variables={"CHECK": check, **(variables or {})},
        namespace=namespace,
    )


def publish_docs(shared: SharedResources, folder: str) -> Actions:
    """Return the action that publishes an environment's docs."""
    return run_build(
        f"Publish-{folder}-docs",
        shared.builds.docs.name,
        reads=[SOURCE, BUILT],
        variables={"FOLDER": folder},
    )


def _prepare(target: Target, environment: str, stack: str, name: str, change_set: str = RELEASE) -> Actions:
    """Return the action that creates the change set of one stack."""
    purpose = change_set.partition("-")[0].title()
    return create_change_set(
        f"{purpose}-{stack}",
        target,
        stack=name,
        change_set=change_set,
        template=template_path(environment, stack),
        settings=template_configuration(PACKAGES, environment, stack),
    )


def _execute(target: Target, stack: str, name: str, *, namespace: str | None = None) -> Actions:
    """Return the action that executes the change set of one stack."""
    return execute_change_set(f"Deploy-{stack}", target, stack=name, change_set=RELEASE, namespace=namespace)
