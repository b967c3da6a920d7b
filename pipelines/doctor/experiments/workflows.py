"""What Step Functions catches, and under which names executions start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.doctor.experiments.declarations import Json, role, state_machine
from pipelines.doctor.experiments.verdicts import execution_said, refusal, verdict

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_TOO_MUCH: Final = "{% $join($map([1..1000], function($i) { $pad('', 300, 'x') })) %}"
"""An output of 300 KB, of which a state may have 256 KiB."""


def _machine(lent: LentAccount, states: Json) -> str:
    resources = {"Role": role("states.amazonaws.com"), "Machine": state_machine("Role", states)}
    return lent.physical_ids(lent.stack(resources))["Machine"]


def name_while_closed(lent: LentAccount) -> Diagnosis:
    """Start an execution twice while it runs, and once more after its end."""
    name, machine = lent.name(), _machine(lent, {"Wait": {"Type": "Wait", "Seconds": 5, "End": True}})

    def start() -> str:
        started = lent.aws.stepfunctions.start_execution(stateMachineArn=machine, name=name, input="{}")
        return started["executionArn"]

    same = start() == start()
    lent.ended_execution(machine, name)
    refused = refusal(start)
    return verdict(holds=same and bool(refused), seen=f"while it ran the same: {same}; {refused or 'taken'}")


def caught(lent: LentAccount) -> Diagnosis:
    """Let a state with a catcher of States.ALL put out too much."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    states = {
        "TooMuch": {"Type": "Parallel", "Branches": [_only(_TOO_MUCH)], "Catch": catch, "Next": "Done"},
        "Caught": {"Type": "Succeed", "Output": "it was caught"},
        "Done": {"Type": "Succeed", "Output": "there was nothing to catch"},
    }
    execution = lent.ended_execution(_machine(lent, states))
    held = execution.get("error") == "States.DataLimitExceeded"
    return verdict(holds=held, seen=execution_said(execution))


def boolean(lent: LentAccount) -> Diagnosis:
    """Choose by a condition that is a text."""
    choice = {"Condition": "{% 'yes' %}", "Next": "Done"}
    states = {
        "Choose": {"Type": "Choice", "Choices": [choice], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }
    execution = lent.ended_execution(_machine(lent, states))
    return verdict(holds=execution["status"] == "FAILED", seen=execution_said(execution))


def _only(output: str) -> Json:
    return {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Output": output, "End": True}}}
