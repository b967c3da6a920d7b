"""The rules of stages by themselves: decided over `StageActions`, without a thread, a store or a server."""

from itertools import count
from typing import cast

import pytest

from embedded_aws.codepipeline import conditions, executions, stages
from embedded_aws.codepipeline.records import ActionRun, Execution, RuleRun, StageRun
from embedded_aws.core.api import Json

_numbers = count(1)


class Stage:
    """What the rules ask for, kept in lists: nothing begins by itself, and a test says how it ends."""

    def __init__(self, *others: Execution, enabled: bool = True) -> None:
        self.others, self.enabled = list(others), enabled
        self.actions: dict[str, Json] = {}
        self.checked: list[str] = []
        self.rollbacks: list[tuple[Execution, Execution]] = []

    def now(self) -> float:
        return 1.0

    def entry_number(self) -> int:
        return next(_numbers)

    def other_executions(self, execution: Execution) -> list[Execution]:
        return [other for other in self.others if other["id"] != execution["id"]]

    def action_runs(self, _execution: Execution, run: StageRun) -> list[ActionRun]:
        return [cast("ActionRun", self.actions[identifier]) for identifier in run["actions"].values()]

    def transition_enabled(self, _execution: Execution, _stage: str) -> bool:
        return self.enabled

    def keep(self, execution: Execution) -> None:
        assert execution

    def start_action(self, _execution: Execution, _stage: str, declaration: Json) -> str:
        name = str(declaration["name"])
        self.actions[name] = {"id": name, "actionName": name, "status": "InProgress"}
        return name

    def check_condition(self, _execution: Execution, kind: str) -> None:
        self.checked.append(kind)

    def start_rollback(self, target: Execution, replaced: Execution, trigger: str, detail: str) -> None:
        assert trigger == "AutomatedRollback"
        assert replaced["id"] in detail
        self.rollbacks.append((target, replaced))

    def end(self, **statuses: str) -> None:
        for name, status in statuses.items():
            self.actions[name]["status"] = status


def execution(stage: Json | None = None, *, mode: str = "SUPERSEDED", kind: str = "STANDARD") -> Execution:
    """An execution that waits for its second stage: two actions of one run order, and one after them."""
    number = next(_numbers)
    actions = [{"name": name, "runOrder": order} for name, order in (("A", 1), ("B", 1), ("C", 2))]
    record = {
        "id": f"e{number}",
        "order": number,
        "mode": mode,
        "type": kind,
        "status": "InProgress",
        "pipelineVersion": 1,
        "checksConditions": True,
        "stage": 1,
        "runs": {},
        "declaration": {
            "stages": [{"name": "Source"}, {"name": "Deploy", "actions": actions, **(stage or {})}]
        },
    }
    return cast("Execution", record)  # the rules read no more than this of it


def run_of(of: Execution) -> StageRun:
    return of["runs"]["Deploy"]


def settled(of: Execution, act: Stage) -> Execution:
    """Do all that can be done at once."""
    while of["status"] in {"InProgress", "Stopping"} and stages.step(of, act):
        pass
    return of


def test_actions_of_a_run_order_begin_together_and_the_next_ones_after_them() -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
    # Given an execution that enters its stage
    one, act = execution(), Stage()
    settled(one, act)
    assert list(act.actions) == ["A", "B"]
    # When one of two ends; Then nothing more begins
    act.end(A="Succeeded")
    settled(one, act)
    assert list(act.actions) == ["A", "B"]
    # When the other does, and the last one; Then the execution is over
    act.end(B="Succeeded")
    settled(one, act)
    act.end(C="Succeeded")
    assert settled(one, act)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("mode", "statuses", "entered"),
    [
        ("SUPERSEDED", ["Superseded", "InProgress"], [False, True]),
        ("QUEUED", ["InProgress", "InProgress"], [True, False]),
        ("PARALLEL", ["InProgress", "InProgress"], [True, True]),
    ],
)
def test_who_enters_a_stage_is_the_modes_choice(mode: str, statuses: list[str], entered: list[bool]) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
    # Given two executions that wait for one stage
    older, newer = execution(mode=mode), execution(mode=mode)
    act = Stage(older, newer)
    # When both try, the newer one first
    for each in (newer, older):
        settled(each, act)
    # Then
    assert [each["status"] for each in (older, newer)] == statuses
    assert [bool(run_of(each).get("entered")) for each in (older, newer)] == entered


def test_nobody_enters_by_a_disabled_transition_but_a_rollback() -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
    standard, rollback = execution(), execution(kind="ROLLBACK")
    for each in (standard, rollback):
        settled(each, Stage(enabled=False))
    assert [bool(run_of(each).get("entered")) for each in (standard, rollback)] == [False, True]


def _failed(act: Stage, of: Execution) -> Execution:
    settled(of, act)
    act.end(A="Succeeded", B="Failed")
    return settled(of, act)


def test_a_failed_stage_goes_back_to_its_last_success_of_the_same_version() -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
    # Given executions that succeeded here before: old, last, of another version, a rollback
    old, last, other, back = (execution() for _ in range(4))
    for ended, each in enumerate((old, last, other, back)):
        executions.run_of(each, "Deploy").update({"status": "Succeeded", "ended": ended})
        each["status"] = "Succeeded"
    other["pipelineVersion"], back["type"] = 2, "ROLLBACK"
    act = Stage(old, last, other, back)
    # When the stage fails; Then the last one of these is gone back to
    one = _failed(act, execution({"onFailure": {"result": "ROLLBACK"}}))
    assert one["status"] == "Failed"
    assert [(target["id"], replaced["id"]) for target, replaced in act.rollbacks] == [(last["id"], one["id"])]


def test_a_rollback_that_fails_begins_no_other() -> None:
    act = Stage()
    one = _failed(act, execution({"onFailure": {"result": "ROLLBACK"}}, kind="ROLLBACK"))
    assert (one["status"], act.rollbacks) == ("Failed", [])


@pytest.mark.parametrize(("mode", "again"), [("FAILED_ACTIONS", ["B"]), ("ALL_ACTIONS", ["A", "B"])])
def test_a_stage_is_retried_once_by_itself(mode: str, again: list[str]) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry-auto.html
    # Given a stage that retries, and fails
    act = Stage()
    one = _failed(
        act, execution({"onFailure": {"result": "RETRY", "retryConfiguration": {"retryMode": mode}}})
    )
    # Then what is retried is under way again
    assert [name for name, action in act.actions.items() if action["status"] == "InProgress"] == again
    # And a second failure is the end
    act.end(**dict.fromkeys(again, "Failed"))
    assert settled(one, act)["status"] == "Failed"


@pytest.mark.parametrize(
    ("kind", "result", "stage", "whole"),
    [
        ("beforeEntry", "SKIP", "Skipped", "Succeeded"),
        ("beforeEntry", "FAIL", "Failed", "Failed"),
        ("onSuccess", "FAIL", "Failed", "Failed"),
    ],
)
def test_a_condition_that_does_not_hold_decides_of_its_stage(
    kind: str, result: str, stage: str, whole: str
) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
    # Given a stage with a condition
    act, one = Stage(), execution({kind: {"conditions": [{"result": result, "rules": []}]}})
    for statuses in ({}, {"A": "Succeeded", "B": "Succeeded"}, {"C": "Succeeded"}):
        act.end(**{name: status for name, status in statuses.items() if name in act.actions})
        settled(one, act)
    assert act.checked == [kind]
    # When its rule fails
    rule = {"ruleName": "Alarm", "status": "Failed", "summary": "it rings"}
    conditions.settle(run_of(one), kind, [cast("RuleRun", rule)], 2.0)
    settled(one, act)
    # Then
    assert (run_of(one)["status"], one["status"]) == (stage, whole)


def test_a_stopped_execution_ends_when_its_actions_have() -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html
    act, one = Stage(), execution()
    settled(one, act)
    one["status"] = "Stopping"
    assert settled(one, act)["status"] == "Stopping"
    act.end(A="Succeeded", B="Failed")
    assert settled(one, act)["status"] == "Stopped"
