"""The smoke workflow of a stack, run and read: does the deployed system take orders as it should?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.aws import executions
from pipelines.core.reporting import NOBODY, Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.orders.payment_stack import PaymentStack


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """What a smoke run found.

    Attributes:
        execution: The ARN of the run.
        passed: Whether all is well.
        checks: What was looked at, where the run came that far.
        error: The error's name, where it did not.
        cause: What the error said.
    """

    execution: str
    passed: bool
    checks: list[Check]
    error: str = ""
    cause: str = ""


def run(stack: PaymentStack, reporter: Reporter = NOBODY) -> SmokeReport:
    """Run the smoke workflow and wait for its report; it removes what it makes."""
    stepfunctions = stack.aws.stepfunctions
    arn = stepfunctions.start_execution(stateMachineArn=stack.smoke, input="{}")["executionArn"]
    for moment in executions.follow(stack.aws, arn):
        reporter.passing(f"smoke: {moment.state} {moment.what}")
    return report(dict(stepfunctions.describe_execution(executionArn=arn)))


def report(execution: Mapping[str, Any]) -> SmokeReport:
    """What a smoke run found, from what DescribeExecution says of it."""
    error, cause = execution.get("error", ""), execution.get("cause", "")
    checks = _checks(execution.get("output") or cause)
    passed = execution["status"] == "SUCCEEDED" and bool(checks) and all(check.ok for check in checks)
    return SmokeReport(execution["executionArn"], passed, checks, error, cause)


def readable(said: str) -> str:
    """What a pipeline says of a failed smoke run, with a line for each failed check; anything else as it is.

    It carries the whole report otherwise, which nobody reads on one line.
    """
    before, brace, rest = said.partition("{")
    checks = _checks(brace + rest)
    failed = [check for check in checks if not check.ok]
    if not failed:
        return said
    told = [f"  ✗ {check.name}: {check.detail}" for check in failed]
    return "\n".join([f"{before}{len(failed)} of {len(checks)} checks failed.", *told])


def _checks(said: str) -> list[Check]:
    """The checks of a report; a failed run may carry them in its cause, or fail before there are any."""
    try:
        document = json.loads(said)
    except ValueError:
        return []
    listed = document.get("checks", []) if isinstance(document, dict) else []
    return [Check(check["name"], check["ok"], check["detail"]) for check in listed]
