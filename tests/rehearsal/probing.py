"""Releases that are worse than the one before, and the probe that finds them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.drills.broken_versions import broken_workflow_version
from tests.rehearsal.shop import datapoints, physical
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.orders.payment_stack import PaymentStack

_BROKEN = """
from payment_data.step import logged

@logged
def handler(event):
    raise RuntimeError("a release that nobody tried")
"""


@contextmanager
def canary(deployed: PaymentStack) -> Iterator[None]:
    """Let a tenth of the orders run a version whose first step fails; afterwards all run the one before."""
    client = deployed.aws.stepfunctions
    [route] = client.describe_state_machine_alias(stateMachineAliasArn=deployed.live)["routingConfiguration"]
    good, bad = route["stateMachineVersionArn"], broken_workflow_version(deployed, _BROKEN)

    def shift(**weights: int) -> None:
        arns = {"good": good, "bad": bad}
        client.update_state_machine_alias(
            stateMachineAliasArn=deployed.live,
            routingConfiguration=[
                {"stateMachineVersionArn": arns[name], "weight": weight} for name, weight in weights.items()
            ],
        )

    shift(good=90, bad=10)
    yield
    shift(good=100)


def worse(stack: PaymentStack) -> float | None:
    """Run the probe, and return what it tells; None if it has nothing to compare.

    Asked of the run itself, since the stack's schedule starts others beside it, which tell the same metric.
    """
    before = _points(stack)
    machine = physical(stack, "ReleaseProbe")
    arn = stack.aws.stepfunctions.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    wait_until(lambda: _ended(stack, arn), lambda: _ended(stack, arn), seconds=120, every=0.2)
    run = stack.aws.stepfunctions.describe_execution(executionArn=arn)
    assert run["status"] == "SUCCEEDED", run
    probed: float | None = json.loads(run["output"]).get("worse")
    assert probed is None or _points(stack) > before
    return probed


def _ended(stack: PaymentStack, arn: str) -> bool:
    return stack.aws.stepfunctions.describe_execution(executionArn=arn)["status"] != "RUNNING"


def _points(stack: PaymentStack) -> float:
    return float(sum(point["SampleCount"] for point in datapoints(stack, "ReleaseWorse")))
