"""A promotion that is followed: what its actions did, who answers its approvals, and when it is over."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core import waiting
from pipelines.core.refusals import Refused
from pipelines.promotion import control, execution
from pipelines.promotion.control import PendingApproval
from pipelines.promotion.execution import Promotion, Step
from tests.pipelines.promotion.action_executions import AT, failed_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
QUESTION = PendingApproval("Approve", "Ask", "token", "run", "what changes", "https://example.org/evidence")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by the pauses that are asked for, and none of them is made; how many seconds did."""
    now = [0.0]
    passes = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    monkeypatch.setattr(waiting, "time", passes)
    return now


def step(stage: str, began: int, ended: int) -> Step:
    start, end = (AT + timedelta(seconds=seconds) for seconds in (began, ended))
    return Step("id", stage, "action", "Succeeded", start, end, "", "")


def listed(*details: Json) -> tuple[str, Json, Json]:
    asked = {"pipelineName": "release", "filter": {"pipelineExecutionId": "run"}}
    return "list_action_executions", asked, {"actionExecutionDetails": list(details)}


def described(status: str, summary: str = "") -> tuple[str, Json, Json]:
    asked = {"pipelineName": "release", "pipelineExecutionId": "run"}
    run = {"pipelineName": "release", "pipelineExecutionId": "run", "status": status}
    return (
        "get_pipeline_execution",
        asked,
        {"pipelineExecution": run | ({"statusSummary": summary} if summary else {})},
    )


def state(*stages: Json) -> tuple[str, Json, Json]:
    return "get_pipeline_state", {"name": "release"}, {"stageStates": list(stages)}


def test_a_stage_takes_from_its_first_action_s_start_to_its_last_one_s_end() -> None:
    steps = [step("Build", 0, 30), step("Staging", 40, 50), step("Staging", 45, 100), step("Staging", 44, 60)]
    assert Promotion("release", "release", "run", steps=steps).seconds() == {"Build": 30.0, "Staging": 60.0}
    assert steps[0].seconds == 30.0


def test_what_actions_did_is_read_in_the_order_in_which_they_began(
    aws: Aws, answers: Callable[..., None]
) -> None:
    # Given an execution's actions, which CodePipeline lists the newest first
    failed = {
        "errorDetails": {"message": "It broke."},
        "externalExecutionSummary": "no",
        "externalExecutionId": "x:1",
    }
    answers(
        "codepipeline",
        listed(
            failed_action(
                "Deploy", "CloudFormation", {"externalExecutionSummary": "made", "externalExecutionId": "y"}
            ),
            failed_action("Check", "CodeBuild", failed),
            failed_action("Package", "CodeBuild", {}),
        ),
    )
    package, check, deploy = execution.pipeline_steps(aws, "release", "run")
    # Then an error is told before a summary, and only a build has a log to look at
    assert [package.action, check.action, deploy.action] == ["Package", "Check", "Deploy"]
    assert [package.message, check.message, deploy.message] == ["", "It broke.", "made"]
    assert [package.build, check.build, deploy.build] == ["", "x:1", ""]
    assert (check.identifier, check.stage, check.status, check.seconds) == ("Check", "Build", "Failed", 90.0)


@pytest.mark.parametrize(
    "run",
    [
        {"sourceRevisions": [{"actionName": "Checkout", "revisionId": "c0ffee"}]},
        {"trigger": {"triggerType": "WebhookV2", "triggerDetail": '{"revision": "c0ffee"}'}},
    ],
)
def test_the_execution_that_a_push_started_is_known_by_its_commit(
    aws: Aws, answers: Callable[..., None], run: Json
) -> None:
    asked = {"pipelineName": "release", "maxResults": 10}
    other = {
        "pipelineExecutionId": "other",
        "sourceRevisions": [{"actionName": "Checkout", "revisionId": "beef"}],
    }
    answers(
        "codepipeline",
        ("list_pipeline_executions", asked, {"pipelineExecutionSummaries": [other]}),
        (
            "list_pipeline_executions",
            asked,
            {"pipelineExecutionSummaries": [other, {"pipelineExecutionId": "run"} | run]},
        ),
    )
    assert execution.started_by(aws, "release", "c0ffee") == "run"


def test_a_push_that_starts_nothing_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "executions", lambda _aws, _pipeline: [])
    with pytest.raises(Refused, match="the push of c0ffee to start release") as refused:
        execution.started_by(aws, "release", "c0ffee")
    assert "connection" in refused.value.hint


def test_it_is_followed_to_its_end_and_its_approvals_are_answered(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    # Given an execution that asks once and then fails
    asked = iter([[QUESTION]])
    monkeypatch.setattr(control, "pending_approvals", lambda _aws, _pipeline, _run: next(asked))
    answered = []
    monkeypatch.setattr(
        control, "answer", lambda _aws, pipeline, question, **how: answered.append((pipeline, question, how))
    )
    answers(
        "codepipeline",
        described("InProgress"),
        listed(),
        state(),
        described("Failed", "It broke."),
        listed(failed_action("Check", "CodeBuild", {})),
        state(),
    )
    watched: list[str] = []
    promotion = Promotion("release", "release", "run")
    # When it is followed
    execution.follow(
        aws, promotion, lambda seen: watched.append(seen.status), lambda _question: (False, "not today")
    )
    # Then the approval was answered once, with its evidence kept, and the end is known
    assert answered == [("release", QUESTION, {"yes": False, "summary": "not today"})]
    assert promotion.evidence == QUESTION.link
    assert (promotion.status, promotion.summary) == ("Failed", "It broke.")
    assert [step.action for step in promotion.steps] == ["Check"]
    assert watched == ["InProgress", "Failed"]
    # And it was looked at every fourth second, since each look asks CodePipeline four questions
    assert clock == [4.0]


def test_an_approval_that_is_left_to_somebody_else_ends_the_following(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "pending_approvals", lambda _aws, _pipeline, _run: [QUESTION])
    answers("codepipeline", described("InProgress"), listed(), state())
    promotion = Promotion("release", "release", "run")
    execution.follow(aws, promotion, lambda _seen: None, lambda _question: None)
    assert promotion.status == execution.WAITING


def test_what_a_stage_waits_for_beside_its_actions_is_named(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a stage whose success is still judged, one that another execution is in, and one that entered
    def stage(name: str, run: str, kind: str, status: str) -> Json:
        rules = [{"ruleStates": [{"ruleName": "Alarms"}, {"ruleName": "Bake"}]}]
        return {
            "stageName": name,
            "latestExecution": {"pipelineExecutionId": run, "status": "InProgress"},
            f"{kind}ConditionState": {"latestExecution": {"status": status}, "conditionStates": rules},
        }

    answers(
        "codepipeline",
        described("Succeeded"),
        listed(),
        state(
            stage("Staging", "run", "onSuccess", "InProgress"),
            stage("Production", "another", "beforeEntry", "InProgress"),
            stage("Docs", "run", "beforeEntry", "Succeeded"),
            {"stageName": "Never"},
        ),
    )
    monkeypatch.setattr(control, "pending_approvals", lambda _aws, _pipeline, _run: [])
    promotion = Promotion("release", "release", "run")
    execution.follow(aws, promotion, lambda _seen: None, lambda _question: None)
    assert promotion.conditions == {"Staging": "Alarms, Bake"}


def test_what_a_new_pipeline_begins_by_itself_is_stopped_and_nothing_else(
    aws: Aws, answers: Callable[..., None]
) -> None:
    runs = [
        {"pipelineExecutionId": name, "status": name}
        for name in ("InProgress", "Succeeded", "Failed", "Stopped")
    ]
    stopped = {"pipelineName": "release", "pipelineExecutionId": "InProgress", "abandon": True}
    answers(
        "codepipeline",
        (
            "list_pipeline_executions",
            {"pipelineName": "release", "maxResults": 10},
            {"pipelineExecutionSummaries": runs},
        ),
        ("stop_pipeline_execution", stopped, {"pipelineExecutionId": "InProgress"}),
    )
    execution.stop_what_began(aws, "release")
