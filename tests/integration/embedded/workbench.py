"""Small real things to play with on the embedded AWS: functions, state machines, stacks."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from tests.waiting import wait_until

Aws = Callable[..., Any]

BEHAVING = """
import os, time

class OutOfStock(Exception):
    pass

def handler(event, context):
    if not isinstance(event, dict):
        return event
    do = event.get("do")
    if do == "raise":
        raise OutOfStock("none left")
    if do == "hang":
        time.sleep(60)
    if do == "crash":
        os._exit(1)
    if do == "environment":
        return dict(os.environ)
    if do == "print":
        print("a line of the log")
    if do == "caller":
        import boto3
        return boto3.client("sts").get_caller_identity()["Arn"]
    return event
"""


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("app.py", code)
    return buffer.getvalue()


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def policy(*actions: str, resource: str = "*") -> str:
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function and how to call it."""

    client: Any
    name: str
    arn: str

    def __call__(self, payload: Any, qualifier: str = "$LATEST") -> tuple[str | None, Any]:
        answer = self.client.invoke(
            FunctionName=self.name, Payload=json.dumps(payload), Qualifier=qualifier, LogType="Tail"
        )
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    output: Any


@dataclass(frozen=True, slots=True)
class Workflow:
    """A state machine and how to run it."""

    client: Any
    arn: str

    def start(self, value: Any = None, *, arn: str | None = None, name: str | None = None) -> str:
        options = {"name": name} if name else {}
        started = self.client.start_execution(
            stateMachineArn=arn or self.arn, input=json.dumps(value or {}), **options
        )
        return str(started["executionArn"])

    def end(self, execution: str) -> Ended:
        def ended() -> dict[str, Any] | None:
            execution_now: dict[str, Any] = self.client.describe_execution(executionArn=execution)
            return execution_now if execution_now["status"] != "RUNNING" else None

        shown = wait_until(ended, f"the end of {execution}", every=0.01)
        output = json.loads(shown["output"]) if "output" in shown else None
        return Ended(execution, shown["status"], shown.get("error"), shown.get("cause"), output)

    def run(self, value: Any = None, *, arn: str | None = None) -> Ended:
        return self.end(self.start(value, arn=arn))

    def events(self, execution: str) -> list[str]:
        return [
            event["type"] for event in self.client.get_execution_history(executionArn=execution)["events"]
        ]

    def entered(self, execution: str) -> list[str]:
        events = self.client.get_execution_history(executionArn=execution)["events"]
        return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is deployed again and again, as the command line does it."""

    client: Any
    name: str

    def deploy(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        """Deploy by change set; returns outputs, or raises AssertionError with the first failure's reason."""
        body = {"Resources": resources, "Outputs": {k: {"Value": v} for k, v in (outputs or {}).items()}}
        exists = self.name in {s["StackName"] for s in self.client.describe_stacks()["Stacks"]}
        change_set = unique("change")
        self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=json.dumps(body),
            Capabilities=["CAPABILITY_IAM"],
        )
        self.client.get_waiter("change_set_create_complete").wait(
            StackName=self.name, ChangeSetName=change_set, WaiterConfig={"Delay": 0.05}
        )
        self.client.execute_change_set(StackName=self.name, ChangeSetName=change_set)
        kind = "stack_update_complete" if exists else "stack_create_complete"
        try:
            self.client.get_waiter(kind).wait(StackName=self.name, WaiterConfig={"Delay": 0.05})
        except botocore.exceptions.WaiterError:
            events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
            reasons = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"].endswith("_FAILED")]
            raise AssertionError(reasons[-1]) from None
        [stack] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def delete(self) -> None:
        self.client.delete_stack(StackName=self.name)
        self.client.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 0.05}
        )


def definition(states: dict[str, Any], **settings: Any) -> str:
    return json.dumps(
        {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **settings}
    )


def define(client: Any, role: str, states: dict[str, Any], **settings: Any) -> str:
    made = client.create_state_machine(
        name=unique("workflow"), definition=definition(states, **settings), roleArn=role
    )
    return str(made["stateMachineArn"])


def vpc(cidr: str) -> dict[str, Any]:
    return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}
