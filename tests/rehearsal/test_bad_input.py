"""Executions started with anything at all: a clear error, a record of it, and nothing half done."""

import json
import uuid

import pytest

from pipelines.orders.payment_stack import PaymentStack
from tests.rehearsal.shop import ended


def test_an_input_that_is_no_json_is_refused_at_once(deployed: PaymentStack) -> None:
    stepfunctions = deployed.aws.stepfunctions
    with pytest.raises(stepfunctions.exceptions.InvalidExecutionInput):
        stepfunctions.start_execution(stateMachineArn=deployed.live, input="{order_id: 1")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"order_id": None},
        {"order_id": 5},
        {"order_id": ""},
        {"order_id": "no such form"},
        {"order_id": {"$ne": None}},
        {"order_id": ["order-1"]},
        {"order_id": "x" * 65},
        ["order-1"],
        "order-1",
        7,
        None,
    ],
    ids=lambda given: json.dumps(given)[:30],
)
def test_an_input_without_an_order_id_fails_and_is_on_record(deployed: PaymentStack, given: object) -> None:
    # Given an input that names no order
    name = f"bad-input-{uuid.uuid4().hex[:8]}"
    # When an execution is started with it
    started = deployed.aws.stepfunctions.start_execution(
        stateMachineArn=deployed.live, name=name, input=json.dumps(given)
    )
    end = ended(deployed, started["executionArn"])
    # Then the payment fails, with the field that is wrong, and the execution's name finds the record
    assert (end.status, end.error) == ("FAILED", "InvalidOrder")
    assert end.states[-1] == "Payment failed"
    assert "order_id" in end.cause
    (record,) = deployed.api.failures(name)["failures"]
    assert (record["error"], record["execution"]) == ("InvalidOrder", end.execution)
