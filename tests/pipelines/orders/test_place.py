"""Placing an order: an execution is started for an order that exists, once, and its end is what counts."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import click
import pytest
from click.testing import CliRunner

from payment_data.client import DataApi, Response
from payment_data.errors import OutcomeUnknown
from pipelines.aws import executions
from pipelines.aws.executions import Moment
from pipelines.cli import orders as commands
from pipelines.core.refusals import Refused
from pipelines.orders import orders, payment_stack

if TYPE_CHECKING:
    from pipelines.orders.payment_stack import PaymentStack

_NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class StepFunctions:
    """Executions by their names."""

    class exceptions:  # noqa: N801 - boto3's name
        ExecutionDoesNotExist = type("ExecutionDoesNotExist", (Exception,), {})
        ExecutionAlreadyExists = type("ExecutionAlreadyExists", (Exception,), {})

    def __init__(self) -> None:
        self.started: list[str] = []

    def start_execution(self, *, name: str, **_: Any) -> None:
        self.started.append(name)

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        if not self.started:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": "RUNNING", "startDate": _NOW}


def _stack(*known: str, fails_after: int | None = None) -> tuple[PaymentStack, StepFunctions, list[str]]:
    """Return a stack whose data API knows these orders, and after so many requests answers nothing more."""
    asked: list[str] = []
    order = b'{"order_id": "o1", "state": "NEW", "currency": "EUR", "user_id": "ada", "lines": []}'

    def transport(method: str, path: str, _: bytes | None) -> Response:
        asked.append(f"{method} {path}")
        if fails_after is not None and len(asked) > fails_after:
            raise OutcomeUnknown("no answer")
        if path.startswith("/users"):
            return Response(200, b'{"balance": 1}')
        if path.removeprefix("/orders/") in known:
            return Response(200, order)
        return Response(404, b'{"name": "OrderNotFound", "status": 404}')

    stepfunctions = StepFunctions()
    aws = SimpleNamespace(stepfunctions=stepfunctions)
    stack = SimpleNamespace(
        aws=aws,
        name="payments",
        api=DataApi(transport),
        workflow="arn:aws:states:eu-west-1:1:stateMachine:w",
        live="arn:live",
    )
    return cast("PaymentStack", stack), stepfunctions, asked


def test_an_order_that_exists_is_started() -> None:
    stack, stepfunctions, _ = _stack("o1")
    placed = orders.place(stack, "o1")
    assert (stepfunctions.started, placed.new, placed.started) == (["o1"], True, _NOW)


def test_an_order_that_does_not_exist_uses_up_no_execution_name() -> None:
    stack, stepfunctions, _ = _stack()
    with pytest.raises(Refused, match="There is no order o1 in payments"):
        orders.place(stack, "o1")
    assert stepfunctions.started == []


def test_an_order_that_was_placed_before_is_found_though_it_is_gone() -> None:
    stack, stepfunctions, asked = _stack()
    stepfunctions.started.append("o1")
    assert orders.place(stack, "o1").new is False
    assert asked == []


@pytest.mark.parametrize(("end", "error", "code"), [("SUCCEEDED", "", 0), ("FAILED", "PaymentDeclined", 1)])
def test_the_exit_code_is_the_orders_also_when_its_effects_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, end: str, error: str, code: int
) -> None:
    # Given a data API that answers nothing any more once the order is placed
    stack, _, asked = _stack("o1", fails_after=3)
    monkeypatch.setattr(payment_stack, "connect", lambda *_: stack)
    moments = [Moment(_NOW, "ended", end, error, "why")]
    monkeypatch.setattr(executions, "follow", lambda *_: iter(moments))
    command = commands.place.callback
    assert command is not None
    inner: Any = command
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    run = click.Command("place", callback=lambda: inner(stack.aws, "payments", "o1", machine=False))
    # When
    result = CliRunner().invoke(run)
    # Then
    assert len(asked) == 4
    assert (result.exit_code, isinstance(result.exception, Refused)) == (code, bool(code))
    assert "The effects could not be read: OutcomeUnknown" in result.stderr
