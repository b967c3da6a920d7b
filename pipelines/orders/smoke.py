"""Run the smoke workflow of a stack and read its report."""

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
class SmokeCheck:
    """A check of a smoke run, and its result."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """The report of a smoke run.

    Attributes:
        execution: The ARN of the run.
        passed: Whether every check passed.
        checks: The checks, where the run came that far.
        error: The error's name, where it did not.
        cause: What the error said.
    """

    execution: str
    passed: bool
    checks: list[SmokeCheck]
    error: str = ""
    cause: str = ""


def run(stack: PaymentStack, reporter: Reporter = NOBODY) -> SmokeReport:
    """Run the smoke workflow and return its report; the run removes what it makes."""
    stepfunctions = stack.aws.stepfunctions
    arn = stepfunctions.start_execution(stateMachineArn=stack.smoke, input="{}")["executionArn"]
    for moment in executions.follow(stack.aws, arn):
        reporter.passing(f"smoke: {moment.state} {moment.what}")
    return report(dict(stepfunctions.describe_execution(executionArn=arn)))


def report(execution: Mapping[str, Any]) -> SmokeReport:
    """Return the report of a smoke run from the answer of DescribeExecution."""
    error, cause = execution.get("error", ""), execution.get("cause", "")
    checks = _checks(execution.get("output") or cause)
    passed = execution["status"] == "SUCCEEDED" and bool(checks) and all(check.ok for check in checks)
    return SmokeReport(execution["executionArn"], passed, checks, error, cause)


def readable(message: str) -> str:
    """Return a pipeline's message about a failed smoke run with a line for each failed check.

    It carries the whole report otherwise, which nobody reads on one line. Any other message stays as it is.
    """
    before, brace, rest = message.partition("{")
    checks = _checks(brace + rest)
    failed = [check for check in checks if not check.ok]
    if not failed:
        return message
    lines = [f"  ✗ {check.name}: {check.detail}" for check in failed]
    return "\n".join([f"{before}{len(failed)} of {len(checks)} checks failed.", *lines])


def _checks(text: str) -> list[SmokeCheck]:
    """Return the checks of a report; a failed run may have them in its cause, or have none."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    listed = document.get("checks", []) if isinstance(document, dict) else []
    return [SmokeCheck(check["name"], check["ok"], check["detail"]) for check in listed]
