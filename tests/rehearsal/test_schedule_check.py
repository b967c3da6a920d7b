"""The schedule check sees what a rule of the deployed stack is, and says it in one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rehearsal.shop import datapoints, physical
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pipelines.orders.payment_stack import PaymentStack

RULE = "SmokeSchedule"


def told(stack: PaymentStack) -> tuple[float, float]:
    """Run the check; return how often one told anything, and the most rules that any found silent."""
    before = _points(stack)[0]
    stack.aws.stepfunctions.start_execution(stateMachineArn=physical(stack, "ScheduleCheck"), input="{}")
    wait_until(lambda: _points(stack)[0] > before, "the check tells", seconds=60, every=0.2)
    return _points(stack)


def _points(stack: PaymentStack) -> tuple[float, float]:
    points = datapoints(stack, "SchedulesSilent")
    return sum(p["SampleCount"] for p in points), max((p["Maximum"] for p in points), default=0)


def test_a_disabled_rule_is_counted_and_told(deployed: PaymentStack) -> None:
    # Given a stack whose rules are all enabled
    events, name = deployed.aws.client("events"), physical(deployed, RULE)
    assert told(deployed)[1] == 0
    # When one is disabled; Then the check says so in the metric that the alarm reads
    events.disable_rule(Name=name)
    try:
        assert told(deployed)[1] == 1
    finally:
        events.enable_rule(Name=name)
