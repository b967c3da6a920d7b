"""What counts: deployments of an environment, from what the pipeline did in that environment's stage.

A deployment is an execution whose actions ran in the stage; one that its deployment window kept out is none.
It succeeded when the whole stage did, conditions included. It failed when an action or the bake of the stage
failed, when it was stopped there, or when somebody took the stage back from it. What failed is restored by
the next good moment of the stage: a rollback, a retry or a later deployment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipelines.evidence.gather import EMERGENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Json = dict[str, Any]
UNDER_WAY: Final = {"InProgress", "Stopping"}
_WINDOW: Final = "DeploymentWindow"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment to an environment; one that neither failed nor succeeded is under way.

    Attributes:
        execution: The pipeline's execution.
        committed: When each change was authored that it brought for the first time.
        failed: When it first failed; for one that a person took back, when it had succeeded.
        succeeded: When its stage succeeded.
        restored: The first good moment of the stage after the failure.
    """

    execution: str
    committed: tuple[datetime, ...] = ()
    failed: datetime | None = None
    succeeded: datetime | None = None
    restored: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What CodePipeline says: its own documents.

    Attributes:
        executions: Of ListPipelineExecutions.
        actions: Of ListActionExecutions.
        rules: Of ListRuleExecutions.
        passed: The executions that it lists as succeeded in the stage; those of earlier pipeline versions are
            not among them (API reference, SucceededInStageFilter).
    """

    executions: Sequence[Json]
    actions: Sequence[Json]
    rules: Sequence[Json]
    passed: Collection[str]


@dataclass(frozen=True, slots=True)
class Emergency:
    """A release that somebody took past its deployment window.

    Attributes:
        execution: The pipeline's execution.
        at: When it was approved.
        who: The ARN of whoever approved it.
        why: What they said.
    """

    execution: str
    at: datetime
    who: str
    why: str


def emergencies(history: History) -> list[Emergency]:
    """Return the releases past their window, oldest first: those whose second question says so."""
    found = [
        Emergency(
            action["pipelineExecutionId"],
            _utc(action["lastUpdateTime"]),
            action.get("updatedBy") or "unknown",
            action["output"].get("executionResult", {}).get("externalExecutionSummary") or "unknown",
        )
        for action in history.actions
        if action["input"]["actionTypeId"]["category"] == "Approval"
        and action["status"] == "Succeeded"
        and action["input"].get("resolvedConfiguration", {}).get("CustomData", "").startswith(EMERGENCY)
    ]
    return sorted(found, key=lambda emergency: emergency.at)


def assemble(history: History, stage: str) -> list[Deployment]:
    """Return the deployments of a stage, in the order in which their executions began."""
    by_age = sorted(history.executions, key=lambda execution: _utc(execution["startTime"]))
    outcomes = {execution["pipelineExecutionId"]: _outcome(execution, history, stage) for execution in by_age}
    forward = [execution for execution in by_age if execution.get("executionType") != "ROLLBACK"]
    back = [execution for execution in by_age if execution.get("executionType") == "ROLLBACK"]
    changes = _changes(forward, _authored(history.actions), outcomes)
    deployments: list[Deployment] = []
    for execution in forward:
        outcome = outcomes[execution["pipelineExecutionId"]]
        if outcome is not None:
            deployments.append(replace(outcome, committed=changes.get(outcome.execution, ())))
    good = sorted(
        deployment.succeeded for deployment in outcomes.values() if deployment and deployment.succeeded
    )
    deployments = [_restored(deployment, good) for deployment in deployments]
    for execution in back:
        deployments = _taken_back(deployments, execution, outcomes[execution["pipelineExecutionId"]])
    return deployments


def _outcome(execution: Json, history: History, stage: str) -> Deployment | None:
    """Return how an execution went in the stage; nothing when it did nothing there."""
    identifier = execution["pipelineExecutionId"]
    everywhere = [entry for entry in history.actions if entry["pipelineExecutionId"] == identifier]
    actions = [entry for entry in everywhere if entry["stageName"] == stage]
    if not actions:
        return None
    began = min(_utc(entry["startTime"]) for entry in actions)
    rules = [
        entry
        for entry in history.rules
        if entry["pipelineExecutionId"] == identifier
        and entry["stageName"] == stage
        and entry["input"]["ruleTypeId"]["provider"] != _WINDOW
    ]
    # An action of another stage that began later is one of a later stage: stages follow each other.
    went_on = any(entry["stageName"] != stage and _utc(entry["startTime"]) > began for entry in everywhere)
    status = execution["status"]
    passed = went_on or status == "Succeeded" or identifier in history.passed
    failures = [_utc(entry["lastUpdateTime"]) for entry in (*actions, *rules) if entry["status"] == "Failed"]
    if not passed and not failures and status not in UNDER_WAY:
        failures = [_utc(execution["lastUpdateTime"])]
    ended = max(_utc(entry["lastUpdateTime"]) for entry in (*actions, *rules))
    return Deployment(identifier, failed=min(failures, default=None), succeeded=ended if passed else None)


def _restored(deployment: Deployment, good: Sequence[datetime]) -> Deployment:
    if deployment.failed is None:
        return deployment
    return replace(deployment, restored=next((moment for moment in good if moment > deployment.failed), None))


def _taken_back(
    deployments: list[Deployment], execution: Json, rollback: Deployment | None
) -> list[Deployment]:
    """Count what a person rolled back as failed since it succeeded: no earlier moment is known."""
    if rollback is None or execution.get("trigger", {}).get("triggerType") != "ManualRollback":
        return deployments
    began = _utc(execution["startTime"])
    before = [
        deployment
        for deployment in deployments
        if deployment.succeeded is not None and deployment.succeeded <= began
    ]
    target = execution.get("rollbackMetadata", {}).get("rollbackTargetPipelineExecutionId")
    last = max(before, key=lambda deployment: deployment.succeeded or began, default=None)
    if last is None or last.execution == target or last.failed is not None:
        return deployments
    failed = replace(last, failed=last.succeeded, restored=rollback.succeeded)
    return [failed if deployment is last else deployment for deployment in deployments]


def _changes(
    forward: Iterable[Json], authored: Mapping[str, datetime], outcomes: Mapping[str, Deployment | None]
) -> dict[str, tuple[datetime, ...]]:
    """Return when each deployment's changes were authored: its own, and those that waited before it."""
    waiting: dict[str, datetime] = {}
    deployed: set[str] = set()
    changes: dict[str, tuple[datetime, ...]] = {}
    for execution in forward:
        identifier = execution["pipelineExecutionId"]
        commit = next(
            (r["revisionId"] for r in execution.get("sourceRevisions", []) if r.get("revisionId")), None
        )
        if commit and commit not in deployed and identifier in authored:
            waiting.setdefault(commit, authored[identifier])
        outcome = outcomes[identifier]
        if outcome is not None and outcome.succeeded is not None:
            changes[identifier] = tuple(waiting.values())
            deployed |= set(waiting)
            waiting = {}
    return changes


def _authored(actions: Iterable[Json]) -> dict[str, datetime]:
    """Return when each execution's commit was authored (action reference, CodeStarSourceConnection)."""
    authored: dict[str, datetime] = {}
    for action in actions:
        date = action.get("output", {}).get("outputVariables", {}).get("AuthorDate")
        if action["input"]["actionTypeId"]["category"] == "Source" and date:
            authored[action["pipelineExecutionId"]] = _utc(datetime.fromisoformat(date))
    return authored


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
