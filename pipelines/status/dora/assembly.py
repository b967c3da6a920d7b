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


def assemble(history: History, stage: str) -> list[Deployment]:
    """The deployments of a stage, in the order in which their executions began."""
    by_age = sorted(history.executions, key=lambda one: _utc(one["startTime"]))
    outcomes = {one["pipelineExecutionId"]: _outcome(one, history, stage) for one in by_age}
    forward = [one for one in by_age if one.get("executionType") != "ROLLBACK"]
    back = [one for one in by_age if one.get("executionType") == "ROLLBACK"]
    changes = _changes(forward, _authored(history.actions), outcomes)
    found: list[Deployment] = []
    for one in forward:
        outcome = outcomes[one["pipelineExecutionId"]]
        if outcome is not None:
            found.append(replace(outcome, committed=changes.get(outcome.execution, ())))
    good = sorted(one.succeeded for one in outcomes.values() if one and one.succeeded)
    found = [_restored(one, good) for one in found]
    for one in back:
        found = _taken_back(found, one, outcomes[one["pipelineExecutionId"]])
    return found


def _outcome(execution: Json, history: History, stage: str) -> Deployment | None:
    """How an execution went in the stage; nothing when it did nothing there."""
    identifier = execution["pipelineExecutionId"]
    everywhere = [one for one in history.actions if one["pipelineExecutionId"] == identifier]
    actions = [one for one in everywhere if one["stageName"] == stage]
    if not actions:
        return None
    began = min(_utc(one["startTime"]) for one in actions)
    rules = [
        one
        for one in history.rules
        if one["pipelineExecutionId"] == identifier
        and one["stageName"] == stage
        and one["input"]["ruleTypeId"]["provider"] != _WINDOW
    ]
    # An action of another stage that began later is one of a later stage: stages follow each other.
    went_on = any(one["stageName"] != stage and _utc(one["startTime"]) > began for one in everywhere)
    status = execution["status"]
    passed = went_on or status == "Succeeded" or identifier in history.passed
    failures = [_utc(one["lastUpdateTime"]) for one in (*actions, *rules) if one["status"] == "Failed"]
    if not passed and not failures and status not in UNDER_WAY:
        failures = [_utc(execution["lastUpdateTime"])]
    ended = max(_utc(one["lastUpdateTime"]) for one in (*actions, *rules))
    return Deployment(identifier, failed=min(failures, default=None), succeeded=ended if passed else None)


def _restored(one: Deployment, good: Sequence[datetime]) -> Deployment:
    if one.failed is None:
        return one
    return replace(one, restored=next((moment for moment in good if moment > one.failed), None))


def _taken_back(found: list[Deployment], execution: Json, rollback: Deployment | None) -> list[Deployment]:
    """Count as failed what a person rolled back, from when it was there: no earlier moment is known."""
    if rollback is None or execution.get("trigger", {}).get("triggerType") != "ManualRollback":
        return found
    began = _utc(execution["startTime"])
    before = [one for one in found if one.succeeded is not None and one.succeeded <= began]
    target = execution.get("rollbackMetadata", {}).get("rollbackTargetPipelineExecutionId")
    last = max(before, key=lambda one: one.succeeded or began, default=None)
    if last is None or last.execution == target or last.failed is not None:
        return found
    failed = replace(last, failed=last.succeeded, restored=rollback.succeeded)
    return [failed if one is last else one for one in found]


def _changes(
    forward: Iterable[Json], authored: Mapping[str, datetime], outcomes: Mapping[str, Deployment | None]
) -> dict[str, tuple[datetime, ...]]:
    """When each deployment's changes were authored: its own, and those that did not get through before."""
    waiting: dict[str, datetime] = {}
    there: set[str] = set()
    found: dict[str, tuple[datetime, ...]] = {}
    for one in forward:
        identifier = one["pipelineExecutionId"]
        commit = next((r["revisionId"] for r in one.get("sourceRevisions", []) if r.get("revisionId")), None)
        if commit and commit not in there and identifier in authored:
            waiting.setdefault(commit, authored[identifier])
        outcome = outcomes[identifier]
        if outcome is not None and outcome.succeeded is not None:
            found[identifier] = tuple(waiting.values())
            there |= set(waiting)
            waiting = {}
    return found


def _authored(actions: Iterable[Json]) -> dict[str, datetime]:
    """When each execution's commit was authored (action reference, CodeStarSourceConnection, AuthorDate)."""
    found: dict[str, datetime] = {}
    for one in actions:
        said = one.get("output", {}).get("outputVariables", {}).get("AuthorDate")
        if one["input"]["actionTypeId"]["category"] == "Source" and said:
            found[one["pipelineExecutionId"]] = _utc(datetime.fromisoformat(said))
    return found


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
