"""An execution's history as people follow it: each state entered and left, each failure, one end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.aws import executions
from pipelines.aws.executions import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:payments"
ARN = "arn:aws:states:eu-central-1:111122223333:execution:payments:order-1"
BEGAN = datetime(2026, 11, 29, tzinfo=UTC)
CAUSE = '{"errorMessage": "the balance is too low", "stackTrace": []}'


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "timestamp": BEGAN + timedelta(seconds=number), **details}


HISTORY = [
    event(1, "ExecutionStarted"),
    event(2, "TaskStateEntered", stateEnteredEventDetails={"name": "Pay"}),
    event(3, "TaskScheduled"),
    event(4, "TaskFailed", taskFailedEventDetails={"resourceType": "lambda", "resource": "invoke"}),
    event(
        5,
        "LambdaFunctionFailed",
        lambdaFunctionFailedEventDetails={"error": "PaymentDeclined", "cause": CAUSE},
    ),
    event(6, "TaskStateExited", stateExitedEventDetails={"name": "Pay"}),
    event(7, "ExecutionFailed", executionFailedEventDetails={"error": "PaymentDeclined", "cause": CAUSE}),
]
MOMENTS = [
    Moment(BEGAN + timedelta(seconds=2), "entered", "Pay"),
    Moment(BEGAN + timedelta(seconds=4), "attempt failed", "Pay"),
    Moment(
        BEGAN + timedelta(seconds=5), "attempt failed", "Pay", "PaymentDeclined", "the balance is too low"
    ),
    Moment(BEGAN + timedelta(seconds=6), "left", "Pay"),
    Moment(BEGAN + timedelta(seconds=7), "ended", "FAILED", "PaymentDeclined", "the balance is too low"),
]


@pytest.fixture
def history(aws: Aws, answers: Callable[..., None]) -> Callable[..., None]:
    """Let each look at the execution find these events."""

    def history(*looks: list[dict[str, Any]]) -> None:
        calls = [("get_execution_history", {"executionArn": ARN}, {"events": look}) for look in looks]
        answers("stepfunctions", *calls, client=aws.stepfunctions)

    return history


def test_an_execution_is_followed_to_its_end_and_nothing_is_said_twice(
    aws: Aws, history: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an execution that goes on while it is looked at, and once does not
    waited: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=waited.append)
    monkeypatch.setattr("pipelines.core.waiting.time", clock)
    history(HISTORY[:2], HISTORY[:2], HISTORY[:6], HISTORY)
    # Then
    assert list(executions.follow(aws, ARN)) == MOMENTS
    assert waited == [2.0]


def test_it_is_followed_from_a_redrive_on(aws: Aws, history: Callable[..., None]) -> None:
    history(HISTORY)
    assert list(executions.follow(aws, ARN, after=5)) == [
        MOMENTS[-2],
        MOMENTS[-1],
    ]


def test_what_has_happened_so_far_is_told_without_waiting(aws: Aws, history: Callable[..., None]) -> None:
    history(HISTORY[:5])
    assert executions.moments(aws, ARN) == MOMENTS[:3]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ExecutionSucceeded", "SUCCEEDED"),
        ("ExecutionFailed", "FAILED"),
        ("ExecutionTimedOut", "TIMED_OUT"),
        ("ExecutionAborted", "ABORTED"),
    ],
)
def test_every_end_is_one(aws: Aws, history: Callable[..., None], kind: str, status: str) -> None:
    history([event(8, kind)])
    [end] = executions.follow(aws, ARN)
    assert (end.what, end.state, end.error) == ("ended", status, "")


@pytest.mark.parametrize("kind", ["TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed"])
def test_every_way_in_which_an_attempt_fails_is_told(
    aws: Aws, history: Callable[..., None], kind: str
) -> None:
    history([*HISTORY[:2], event(3, kind)])
    assert [moment.what for moment in executions.moments(aws, ARN)] == ["entered", "attempt failed"]


def test_the_latest_event_is_the_one_that_a_redrive_goes_on_from(
    aws: Aws, answers: Callable[..., None]
) -> None:
    asked = {"executionArn": ARN, "reverseOrder": True, "maxResults": 1}
    answers(
        "stepfunctions",
        ("get_execution_history", asked, {"events": HISTORY[-1:]}),
        client=aws.stepfunctions,
    )
    assert executions.last_event(aws, ARN) == 7


def test_an_execution_is_named_after_its_order(aws: Aws, answers: Callable[..., None]) -> None:
    assert executions.arn_of(MACHINE, "order-1") == ARN
    described = {"stateMachineArn": MACHINE, "executionArn": ARN, "status": "RUNNING", "startDate": BEGAN}
    answers(
        "stepfunctions", ("describe_execution", {"executionArn": ARN}, described), client=aws.stepfunctions
    )
    assert executions.status(aws, ARN) == "RUNNING"
    stub = answers.stubs["stepfunctions"]  # type: ignore[attr-defined]  # for a refusal
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert executions.status(aws, ARN) is None


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (CAUSE, "the balance is too low"),
        ("plain", "plain"),
        ("[1]", "[1]"),
        ('{"a": 1}', '{"a": 1}'),
        ("", ""),
    ],
)
def test_a_cause_is_its_message(cause: str, message: str) -> None:
    assert executions.error_message(cause) == message
