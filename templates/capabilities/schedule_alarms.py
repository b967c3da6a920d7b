"""What should run by itself in a payments stack, and what should come in: failing, or silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from payment_data.metrics import ABANDONED
from templates.capabilities import undelivered_events
from templates.capabilities.alarms import GOAL_PERCENT, Symptom
from templates.capabilities.metrics import MINUTE, Formula, Metric, absence, own, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn

    from environments.schema import Environment
    from templates.capabilities.state_machines import Workflow

_SWEEP = "payments order list --state CANCELLING --limit 20"
_LAST_POINT = 2
"""Minutes more than must be silent, so that the window still holds the last point (`metrics.absence`)."""


def sweeper_symptoms(sweeper: Workflow) -> list[Symptom]:
    """Return what can be wrong with orders that their execution left half-way."""
    return [
        Symptom(
            "OrdersAbandoned",
            "A customer's order failed and was undone by the sweeper: its execution had left it half-way.",
            own("OrdersFailed", reason=ABANDONED),
            threshold=0,
            first="payments order list --state FAILED --limit 20",
            money=True,
        ),
        Symptom(
            "SweepFailing",
            "Customers may have paid, or hold stock, for nothing: half-done orders cannot be undone.",
            _ends_badly("Sweeps", sweeper.arn),
            threshold=0,
            within=6,
            pages=True,
            first=_SWEEP,
            money=True,
        ),
    ]


def settlement_symptoms(settlement: Workflow) -> list[Symptom]:
    """Return what can be wrong with the settlement of orders that are over."""
    return [
        Symptom(
            "SettlementFailing",
            "Customers feel nothing yet: orders that are over are not settled, so documents grow and "
            "slow down.",
            _ends_badly("Settlements", settlement.arn),
            threshold=0,
            minutes=4,
            within=9,
            first="payments reconcile",
            money=True,
        ),
    ]


def orders_missing(minutes: int) -> list[Symptom]:
    """Return the symptom that no order ends where there used to be some, for so many minutes."""
    return [
        Symptom(
            "OrdersMissing",
            "No customer's order ends any more: none can be begun, or all of them wait.",
            absence("Quiet", own("TechnicalFailures", "SampleCount")),
            threshold=0,
            minutes=minutes,
            within=minutes + _LAST_POINT,
            pages=True,
            missing="ignore",
            page="health",
        )
    ]


def schedule_symptoms(synthetic: Sequence[AWSHelperFn], rules: Sequence[AWSHelperFn]) -> list[Symptom]:
    """Return what can be wrong with what schedules start.

    Args:
        synthetic: The ARNs of the workflows that place synthetic orders.
        rules: The names of all rules.
    """
    undelivered = [Metric("AWS/Events", "FailedInvocations", {"RuleName": rule}) for rule in rules]
    return [
        Symptom(
            "ScheduleSilent",
            "Customers feel it later: what a schedule or a rule starts does not run, so half-done "
            "orders stay half-done.",
            own("SchedulesSilent", "Maximum"),
            threshold=0,
            within=6,
            pages=True,
            first=_SWEEP,
            page="sweep-failing",
            money=True,
        ),
        Symptom(
            "ScheduleCheckSilent",
            "Customers feel nothing yet: nobody looks any more whether schedules run.",
            absence("Silent", own("SchedulesSilent", "SampleCount")),
            threshold=0,
            minutes=12,
            within=12 + _LAST_POINT,
            missing="ignore",
            first=_SWEEP,
            page="sweep-failing",
        ),
        Symptom(
            "EventsUndelivered",
            "Customers feel nothing yet: EventBridge could not start what a rule starts.",
            # A refusal rings at once; the queue keeps it ringing until somebody has read it.
            total("Events", [*undelivered, undelivered_events.waiting()]),
            threshold=0,
            first=_SWEEP,
            page="sweep-failing",
        ),
        Symptom(
            "SmokeFailing",
            "Synthetic orders fail, so customers most likely cannot buy either.",
            _ends_badly("Smoke", *synthetic),
            threshold=0,
            within=8,
            pages=True,
        ),
    ]


def objective_symptoms(environment: Environment) -> list[Symptom]:
    """Return how fast the error budget of the service level objective is used up: fast, and slowly.

    There is no objective where a bank answers in days. A rate of one uses the budget up in exactly the
    objective's days. The average of zeros and ones is the share of good orders, so that a lost point
    falsifies nothing. Thresholds: Google's SRE workbook, "Alerting on SLOs".
    """
    if "bank_account" in environment.payment_methods:
        return []
    burning = Formula(
        f"(1 - m0) / {1 - GOAL_PERCENT / 100:.6g}",
        "BurnRate",
        {"m0": replace(own("OrdersEndedInTime", "Average"), period=5 * MINUTE)},
    )
    return [
        Symptom(
            "ObjectiveBurningFast",
            "Customers' orders are late or fail by a fault, so many that two days use up the month's budget.",
            burning,
            threshold=14.4,
            minutes=3,
            within=6,
            pages=True,
            page="health",
        ),
        Symptom(
            "ObjectiveBurningSlowly",
            "Customers' orders have been late or failed by a fault for hours: the month's budget "
            "lasts five days.",
            burning,
            threshold=6,
            minutes=12,
            within=72,
            page="health",
        ),
    ]


def _ends_badly(label: str, *workflows: AWSHelperFn) -> Formula:
    return total(
        label,
        [
            Metric("AWS/States", name, {"StateMachineArn": workflow})
            for workflow in workflows
            for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
        ],
    )
