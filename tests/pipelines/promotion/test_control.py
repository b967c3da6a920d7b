"""What people do with a pipeline: what is asked of CodePipeline, and what is refused before it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.promotion import control
from pipelines.promotion.control import PendingApproval

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
QUESTION = PendingApproval("Approve", "Ask", "token", "run-2", "what changes", "https://example.org/evidence")


def stage(name: str, status: str, execution: str = "run-2", actions: tuple[Json, ...] = ()) -> Json:
    latest = {"pipelineExecutionId": execution, "status": status}
    return {"stageName": name, "latestExecution": latest, "actionStates": list(actions)}


def state(*stages: Json) -> tuple[str, Json, Json]:
    return "get_pipeline_state", {"name": "release"}, {"stageStates": list(stages)}


def action(name: str, status: str, category: str = "Approval", **output: Any) -> Json:
    kind = {"category": category, "owner": "AWS", "provider": "Manual", "version": "1"}
    configuration = {"CustomData": "as written", "ExternalEntityLink": "as written"}
    resolved = {"CustomData": "what changes", "ExternalEntityLink": "https://example.org/evidence"}
    return {
        "pipelineExecutionId": "run-2",
        "actionExecutionId": f"{name}-1",
        "stageName": "Approve",
        "actionName": name,
        "status": status,
        "input": {"actionTypeId": kind, "configuration": configuration, "resolvedConfiguration": resolved},
        "output": {"executionResult": output},
    }


def actions(*details: Json, execution: str = "") -> tuple[str, Json, Json]:
    which = {"pipelineExecutionId": execution} if execution else {}
    asked = {"pipelineName": "release", "filter": which}
    return "list_action_executions", asked, {"actionExecutionDetails": list(details)}


def test_a_pipeline_that_is_not_deployed_is_refused_and_one_that_is_has_its_output_s_name(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    del answers
    monkeypatch.setattr(stacks, "status", lambda _aws, _stack: None)
    with pytest.raises(Refused, match=f"no stack payments-pipelines in {aws.environment.account}"):
        control.name_of(aws, "release")
    monkeypatch.setattr(stacks, "status", lambda _aws, _stack: "CREATE_COMPLETE")
    monkeypatch.setattr(stacks, "outputs", lambda _aws, _stack: {"ReleasePipelineName": "physical"})
    assert control.name_of(aws, "release") == "physical"


def test_it_starts_and_lists(aws: Aws, answers: Callable[..., None]) -> None:
    run = {"pipelineExecutionId": "run-2", "status": "InProgress"}
    answers(
        "codepipeline",
        ("start_pipeline_execution", {"name": "release"}, {"pipelineExecutionId": "run-3"}),
        (
            "list_pipeline_executions",
            {"pipelineName": "release", "maxResults": 10},
            {"pipelineExecutionSummaries": [run]},
        ),
        (
            "list_pipeline_executions",
            {"pipelineName": "release", "maxResults": 3},
            {"pipelineExecutionSummaries": []},
        ),
        state(stage("Source", "Succeeded"), stage("Build", "InProgress")),
    )
    assert control.start(aws, "release") == "run-3"
    assert control.executions(aws, "release") == [run]
    assert control.executions(aws, "release", 3) == []
    assert control.stages(aws, "release") == ["Source", "Build"]


def test_an_approval_can_be_answered_once_it_has_its_token(aws: Aws, answers: Callable[..., None]) -> None:
    # Given two approvals under way, of which one has its token, one that was answered, and a build
    with_token = {"actionName": "Ask", "latestExecution": {"token": "token", "status": "InProgress"}}
    without = {"actionName": "AskLater", "latestExecution": {"status": "InProgress"}}
    now = state(stage("Approve", "InProgress", actions=(without, with_token)))
    answers(
        "codepipeline",
        actions(
            action("Ask", "InProgress"),
            action("AskLater", "InProgress"),
            action("Asked", "Succeeded"),
            action("Build", "InProgress", "Build"),
        ),
        now,
        now,
    )
    # Then the one that can be answered is there, with what it was resolved to
    assert control.pending_approvals(aws, "release") == [QUESTION]


def test_in_parallel_mode_the_token_is_the_action_s_external_execution(
    aws: Aws, answers: Callable[..., None]
) -> None:
    other = {"actionName": "Ask", "latestExecution": {"token": "another stage's", "status": "InProgress"}}
    answers(
        "codepipeline",
        actions(action("Ask", "InProgress", externalExecutionId="external"), execution="run-2"),
        state(
            stage("Build", "InProgress", actions=(other,)),
            stage("Approve", "InProgress", actions=({"actionName": "Ask"},)),
        ),
    )
    (question,) = control.pending_approvals(aws, "release", "run-2")
    assert question.token == "external"  # noqa: S105 - an approval's


@pytest.mark.parametrize(("yes", "status"), [(True, "Approved"), (False, "Rejected")])
@pytest.mark.parametrize("summary", ["y", "y" * 512])
def test_an_answer_says_yes_or_no_with_its_reason(
    aws: Aws, answers: Callable[..., None], yes: bool, status: str, summary: str
) -> None:
    asked = {
        "pipelineName": "release",
        "stageName": "Approve",
        "actionName": "Ask",
        "token": "token",
        "result": {"status": status, "summary": summary},
    }
    answers("codepipeline", ("put_approval_result", asked, {"approvedAt": AT}))
    control.answer(aws, "release", QUESTION, yes=yes, summary=summary)


@pytest.mark.parametrize("summary", ["", "y" * 513])
def test_a_reason_that_says_nothing_or_would_be_cut_off_is_refused(aws: Aws, summary: str) -> None:
    with pytest.raises(Refused, match=f"1 to 512 characters, and this one has {len(summary)}"):
        control.answer(aws, "release", QUESTION, yes=True, summary=summary)


@pytest.mark.parametrize(
    ("named", "whole", "mode"),
    [(None, False, "FAILED_ACTIONS"), ("Staging", False, "FAILED_ACTIONS"), (None, True, "ALL_ACTIONS")],
)
def test_a_retry_is_of_the_execution_that_failed_in_the_stage(
    aws: Aws, answers: Callable[..., None], named: str | None, whole: bool, mode: str
) -> None:
    asked = {
        "pipelineName": "release",
        "stageName": "Staging",
        "pipelineExecutionId": "run-1",
        "retryMode": mode,
    }
    answers(
        "codepipeline",
        state({"stageName": "Source"}, stage("Staging", "Failed", "run-1"), stage("Build", "Succeeded")),
        ("retry_stage_execution", asked, {"pipelineExecutionId": "run-1"}),
    )
    assert control.retry(aws, "release", named, whole=whole) == ("Staging", "run-1")


@pytest.mark.parametrize(
    ("stages", "named", "why"),
    [
        ([stage("Build", "Succeeded")], None, "Nothing in release failed, so there is nothing to retry"),
        ([stage("Build", "Failed")], "Staging", "The stage Staging of release has not failed"),
        (
            [stage("Build", "Failed"), stage("Docs", "Failed")],
            None,
            "Several stages have failed: Build, Docs",
        ),
    ],
)
def test_a_retry_of_nothing_or_of_several_is_refused(
    aws: Aws, answers: Callable[..., None], stages: list[Json], named: str | None, why: str
) -> None:
    answers("codepipeline", state(*stages))
    with pytest.raises(Refused, match=why):
        control.retry(aws, "release", named)


def succeeded(*executions: str) -> tuple[str, Json, Json]:
    asked = {"pipelineName": "release", "filter": {"succeededInStage": {"stageName": "Production"}}}
    runs = [{"pipelineExecutionId": name, "status": "Succeeded"} for name in executions]
    return "list_pipeline_executions", asked, {"pipelineExecutionSummaries": runs}


def rolled_back(to: str) -> tuple[str, Json, Json]:
    asked = {"pipelineName": "release", "stageName": "Production", "targetPipelineExecutionId": to}
    return "rollback_stage", asked, {"pipelineExecutionId": "back"}


def test_a_stage_goes_back_to_the_last_execution_that_succeeded_before_the_present_one(
    aws: Aws, answers: Callable[..., None]
) -> None:
    now = state(stage("Staging", "Succeeded", "run-8"), stage("Production", "Succeeded", "run-9"))
    answers("codepipeline", succeeded("run-9", "run-7", "run-5"), now, rolled_back("run-7"))
    assert control.rollback(aws, "release", "Production") == "back"


def test_a_stage_goes_back_to_what_is_named(aws: Aws, answers: Callable[..., None]) -> None:
    answers("codepipeline", rolled_back("run-5"))
    assert control.rollback(aws, "release", "Production", "run-5") == "back"


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (stage("Production", "Succeeded", "run-9"), "No earlier execution succeeded in Production"),
        (stage("Staging", "Succeeded", "run-9"), "release has no stage Production"),
    ],
)
def test_where_there_is_nothing_to_go_back_to_it_says_so(
    aws: Aws, answers: Callable[..., None], now: Json, why: str
) -> None:
    answers("codepipeline", succeeded("run-9"), state(now))
    with pytest.raises(Refused, match=why):
        control.rollback(aws, "release", "Production")
