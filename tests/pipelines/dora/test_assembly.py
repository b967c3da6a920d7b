"""What counts as a deployment, a failure and a restoration, in CodePipeline's own documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.evidence.gather import EMERGENCY
from pipelines.status.deployments import Deployment, Emergency, History, assemble, emergencies

Json = dict[str, Any]
ZERO = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STAGE = "Production"


def at(minute: float) -> datetime:
    return ZERO + timedelta(minutes=minute)


class Told:
    """Executions as CodePipeline tells of them, newest first."""

    def __init__(self) -> None:
        self.executions: list[Json] = []
        self.actions: list[Json] = []
        self.rules: list[Json] = []
        self.passed: set[str] = set()

    def execution(self, name: str, begin: float, end: float, status: str, **more: Any) -> None:
        """One whose commit was authored ten minutes before it began."""
        times = {"startTime": at(begin), "lastUpdateTime": at(end)}
        document = {"pipelineExecutionId": name, "status": status, "executionType": "STANDARD", **times}
        revision = {"actionName": "Checkout", "revisionId": more.pop("commit", f"commit of {name}")}
        self.executions.insert(0, {**document, "sourceRevisions": [revision], **more})
        if "executionType" not in more:
            self.action(name, "Source", begin, begin, authored=at(begin - 10))

    def rollback(self, name: str, begin: float, end: float, *, to: str, by: str) -> None:
        """A rollback that succeeded."""
        back = {"rollbackMetadata": {"rollbackTargetPipelineExecutionId": to}}
        trigger = {"trigger": {"triggerType": by}}
        self.execution(name, begin, end, "Succeeded", executionType="ROLLBACK", **back, **trigger)
        self.action(name, STAGE, begin, end)

    def action(
        self,
        name: str,
        stage: str,
        begin: float,
        end: float,
        status: str = "Succeeded",
        *,
        authored: datetime | None = None,
    ) -> None:
        """An action, of a source where it says when its commit was authored."""
        said = {"AuthorDate": authored.isoformat()} if authored else {}
        category = {"category": "Source" if authored else "Deploy"}
        document = {"pipelineExecutionId": name, "stageName": stage, "status": status}
        document |= {"startTime": at(begin), "lastUpdateTime": at(end), "input": {"actionTypeId": category}}  # type: ignore[dict-item]
        self.actions.insert(0, {**document, "output": {"outputVariables": said}})

    def rule(self, name: str, provider: str, begin: float, end: float, status: str) -> None:
        """A rule of the production stage."""
        document = {"pipelineExecutionId": name, "stageName": STAGE, "status": status}
        times = {"startTime": at(begin), "lastUpdateTime": at(end)}
        self.rules.insert(0, {**document, **times, "input": {"ruleTypeId": {"provider": provider}}})

    def good(self, name: str, begin: float, end: float) -> None:
        """One that went through production to the docs."""
        self.execution(name, begin, end + 1, "Succeeded")
        self.action(name, STAGE, begin + 1, end)
        self.action(name, "Docs", end, end + 1)

    def assembled(self) -> list[Deployment]:
        return assemble(History(self.executions, self.actions, self.rules, self.passed), STAGE)


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_deployment_has_succeeded_when_its_stage_has_with_its_bake(told: Told) -> None:
    # Given a release whose docs failed, long after production was baked
    told.execution("one", 0, 90, "Failed")
    told.action("one", STAGE, 5, 10)
    told.rule("one", "CloudWatchAlarm", 10, 25, "Succeeded")
    told.action("one", "Docs", 60, 90, "Failed")
    # Then
    assert told.assembled() == [Deployment("one", (at(-10),), succeeded=at(25))]


def test_what_never_reached_the_stage_or_its_window_is_no_deployment(told: Told) -> None:
    told.execution("rejected", 0, 9, "Failed")
    told.action("rejected", "Approve", 5, 9, "Failed")
    told.execution("too early", 10, 20, "Failed")
    told.rule("too early", "DeploymentWindow", 20, 20, "Failed")
    assert told.assembled() == []


def test_a_release_past_its_window_is_listed_with_who_approved_it_and_why(told: Told) -> None:
    told.good("one", 0, 10)
    for name, asked in (("one", "Production changed since the approval"), ("two", f"{EMERGENCY} Say why.")):
        told.action(name, "ApproveAgain", 2, 3)
        told.actions[0] |= {"updatedBy": f"arn of who approved {name}"}
        told.actions[0]["input"] = {
            "actionTypeId": {"category": "Approval"},
            "resolvedConfiguration": {"CustomData": asked},
        }
        told.actions[0]["output"] = {"executionResult": {"externalExecutionSummary": f"why {name}"}}
    assert emergencies(History(told.executions, told.actions, told.rules, told.passed)) == [
        Emergency("two", at(3), "arn of who approved two", "why two")
    ]


def test_one_under_way_has_neither_failed_nor_succeeded(told: Told) -> None:
    told.execution("one", 0, 5, "InProgress")
    told.action("one", STAGE, 1, 5, "InProgress")
    assert told.assembled() == [Deployment("one")]


def test_a_failure_is_restored_by_its_rollback(told: Told) -> None:
    told.good("one", 0, 10)
    told.execution("two", 20, 31, "Failed")
    told.action("two", STAGE, 25, 30, "Failed")
    told.rollback("back", 32, 40, to="one", by="AutomatedRollback")
    assert told.assembled()[1] == Deployment("two", failed=at(30), restored=at(40))


def test_an_alarm_while_it_bakes_is_a_failure_from_when_it_rang(told: Told) -> None:
    told.execution("one", 0, 20, "Failed")
    told.action("one", STAGE, 1, 5)
    told.rule("one", "CloudWatchAlarm", 5, 12, "Failed")
    assert told.assembled() == [Deployment("one", failed=at(12))]


def test_a_retry_that_succeeds_restores_what_failed(told: Told) -> None:
    told.execution("one", 0, 40, "Succeeded")
    told.action("one", STAGE, 1, 5, "Failed")
    told.action("one", STAGE, 20, 30)
    told.action("one", "Docs", 30, 40)
    assert told.assembled() == [Deployment("one", (at(-10),), at(5), at(30), at(30))]


def test_one_that_was_stopped_in_its_stage_failed_and_one_after_it_did_not(told: Told) -> None:
    for name in ("in the stage", "after it"):
        told.execution(name, 0, 20, "Stopped")
        told.action(name, STAGE, 1, 5)
    told.passed.add("after it")
    outcomes = {one.execution: (one.failed, one.succeeded) for one in told.assembled()}
    assert outcomes == {"in the stage": (at(20), None), "after it": (None, at(5))}


def test_what_a_person_takes_back_failed_from_the_moment_it_was_there(told: Told) -> None:
    # Given two good releases, and a failed third that went back to the second
    told.good("one", 0, 10)
    told.good("two", 20, 30)
    told.execution("three", 40, 50, "Failed")
    told.action("three", STAGE, 45, 50, "Failed")
    told.rollback("automatic", 51, 55, to="two", by="AutomatedRollback")
    # When a person goes back to the first
    told.rollback("by hand", 60, 70, to="one", by="ManualRollback")
    # Then the second was the one that failed, until then
    found = {one.execution: (one.failed, one.restored) for one in told.assembled()}
    assert found["two"] == (at(30), at(70))
    assert found["one"] == (None, None)
    assert found["three"] == (at(50), at(55))


def test_a_change_that_did_not_get_through_comes_with_the_next_and_counts_once(told: Told) -> None:
    # Given a rejected release, a failed one, and one that got through
    told.execution("rejected", 0, 5, "Failed")
    told.execution("failed", 10, 20, "Failed")
    told.action("failed", STAGE, 12, 20, "Failed")
    told.good("good", 30, 40)
    # When the same commit is released once more
    told.execution("again", 50, 60, "Succeeded", commit="commit of good")
    told.action("again", STAGE, 51, 55)
    # Then
    committed = {one.execution: one.committed for one in told.assembled()}
    assert committed == {"failed": (), "good": (at(-10), at(0), at(20)), "again": ()}


def test_only_a_source_says_when_a_commit_was_authored_and_one_that_does_not_gives_no_lead_time(
    told: Told,
) -> None:
    # Given a source that does not say it, as one of S3, and a build that puts out a variable of that name
    told.good("one", 0, 10)
    for action in told.actions:
        source = action["input"]["actionTypeId"]["category"] == "Source"
        action["output"]["outputVariables"] = {} if source else {"AuthorDate": at(-99).isoformat()}
    # Then
    assert told.assembled() == [Deployment("one", (), succeeded=at(10))]
