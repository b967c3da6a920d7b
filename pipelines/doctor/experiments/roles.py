"""What services say of the account for which they take on a role, and how large a policy may be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.core.waiting import wait_until
from pipelines.doctor.experiments.declarations import Json, function, role, state_machine
from pipelines.doctor.experiments.verdicts import execution_said, refusal, verdict

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_POLICY_CHARACTERS: Final = 6144
_SECONDS: Final = 180
_DONE: Final[Json] = {
    "Machine": state_machine("MachineRole", {"Done": {"Type": "Succeed"}}),
    "MachineRole": role("states.amazonaws.com"),
}


def event_rule(lent: LentAccount) -> Diagnosis:
    """Put events until a rule, whose role asks which account, starts a state machine."""
    source = lent.name()
    target = {"Id": "Machine", "Arn": {"Ref": "Machine"}, "RoleArn": {"Fn::GetAtt": ["StartRole", "Arn"]}}
    rule = {"EventPattern": {"source": [source]}, "Targets": [target]}
    resources = {
        **_DONE,
        "StartRole": role("events.amazonaws.com", "states:StartExecution", says_the_account=True),
        "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
    }
    machine = lent.physical_ids(lent.stack(resources))["Machine"]
    event = {"Source": source, "DetailType": "proving", "Detail": "{}"}
    lent.aws.client("events").put_events(Entries=[event])
    return verdict(holds=True, seen=f"it started {_started(lent, machine)}")


def state_machine_role(lent: LentAccount) -> Diagnosis:
    """Let a state machine, whose role asks which account, start another state machine."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {"StateMachineArn": "${Machine}"},
        "End": True,
    }
    resources = {
        **_DONE,
        "ParentRole": role("states.amazonaws.com", "states:StartExecution", says_the_account=True),
        "Parent": state_machine("ParentRole", {"Start": task}),
    }
    ids = lent.physical_ids(lent.stack(resources))
    execution = lent.ended_execution(ids["Parent"])
    return verdict(holds=execution["status"] == "SUCCEEDED", seen=execution_said(execution))


def function_role(lent: LentAccount) -> Diagnosis:
    """Call a function whose role asks which account."""
    service = "lambda.amazonaws.com"
    stack = lent.stack({"Role": role(service, says_the_account=True), "Function": function("Role")})
    name = lent.physical_ids(stack).get("Function", "")
    refused = refusal(lambda: lent.aws.functions.invoke(FunctionName=name)) if name else lent.why(stack)
    return verdict(holds=bool(refused), seen=refused or "Lambda said it: the roles could be narrower")


def policy_size(lent: LentAccount) -> Diagnosis:
    """Make a policy of as many characters as there may be, and one with one more."""

    def create(characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "PAD"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        padded = "arn:aws:logs:*:*:log-group:".ljust(characters - len(document) + len("PAD"), "x")
        made = lent.aws.client("iam").create_policy(
            PolicyName=lent.name(), PolicyDocument=document.replace("PAD", padded)
        )["Policy"]["Arn"]
        lent.undo.callback(lent.aws.client("iam").delete_policy, PolicyArn=made)
        return str(made)

    create(_POLICY_CHARACTERS)
    refused = refusal(lambda: create(_POLICY_CHARACTERS + 1))
    return verdict(
        holds=bool(refused), seen=refused or f"a policy of {_POLICY_CHARACTERS + 1} characters was taken"
    )


def _started(lent: LentAccount, machine: str) -> str:
    """Wait for an execution of a state machine and return its name."""
    (execution,) = wait_until(
        lambda: lent.aws.stepfunctions.list_executions(stateMachineArn=machine)["executions"],
        seconds=_SECONDS,
        every=lent.aws.poll_seconds,
        what="the rule to start its target",
    )
    return str(execution["name"])
