"""Small real things to play with on the embedded AWS: functions, state machines, stacks; and their fixtures.

Whoever tests on an instance imports the fixtures into a conftest that has `aws`, which makes boto3 clients.
"""

import functools
import io
import json
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
import botocore.config
import botocore.exceptions
import pytest

from embedded_aws.core import background

Aws = Callable[..., Any]
T = TypeVar("T")
ACCOUNT, REGION = "000000000000", "eu-central-1"
_PAUSE = threading.Event()  # nobody sets it


def clients(endpoint: str) -> Aws:
    """Return what makes boto3 clients: `aws("lambda")`, `aws("ec2", account="1" * 12)`.

    A 12-digit access key is that account's root; other credentials can be given as keyword arguments.
    """
    session: Any = boto3.session.Session()  # whose `client` is typed by literal service names
    config = botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=32)

    @functools.cache  # a client takes a tenth of a second to make
    def client(service: str, account: str = ACCOUNT, region: str = REGION, **credentials: str) -> Any:
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "any"} | credentials
        return session.client(service, region_name=region, endpoint_url=endpoint, config=config, **keys)

    return client


def wait_until(
    probe: Callable[[], T | None], what: str | Callable[[], str], *, seconds: float = 20, every: float = 0.05
) -> T:
    """Ask a probe until its answer is true, and return that answer; fail with what was waited for."""
    answer = background.wait_for(lambda: probe() or None, seconds=seconds, every=every, pause=_PAUSE.wait)
    assert answer is not None, f"not within {seconds:g} s: {what if isinstance(what, str) else what()}"
    return answer


def let_pass(seconds: float) -> None:
    """Let time pass, where a test shows that nothing happens in it."""
    _PAUSE.wait(seconds)


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


@pytest.fixture(scope="session")
def role(aws: Aws) -> str:
    """A role that any service may assume, for functions that call nothing and workflows that call them."""
    services = ["lambda.amazonaws.com", "states.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    made = aws("iam").create_role(
        RoleName=unique("role"), AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )
    may = ["lambda:InvokeFunction", "states:StartExecution"]
    statement = {"Sid": "Work", "Effect": "Allow", "Action": may, "Resource": "*"}
    aws("iam").put_role_policy(
        RoleName=made["Role"]["RoleName"],
        PolicyName="work",
        PolicyDocument=json.dumps({"Statement": [statement]}),
    )
    return str(made["Role"]["Arn"])


@pytest.fixture(scope="session")
def make_function(aws: Aws, role: str) -> Callable[..., Function]:
    """Deploy a function: `make_function(code, Timeout=30, ...)`."""

    def make(code: str = BEHAVING, **settings: Any) -> Function:
        client, name = aws("lambda"), unique("function")
        settings = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Timeout": 30} | settings
        made = client.create_function(FunctionName=name, Code={"ZipFile": zipped(code)}, **settings)
        return Function(client, name, made["FunctionArn"])

    return make


@pytest.fixture(scope="session")
def behaving(make_function: Callable[..., Function]) -> Function:
    """A function that raises, crashes or answers, as its event says."""
    return make_function()


@pytest.fixture(scope="session")
def hurried(make_function: Callable[..., Function]) -> Function:
    """The same with a time-out of one second, to be told to hang."""
    return make_function(Timeout=1)


@pytest.fixture(scope="session")
def make_workflow(aws: Aws, role: str) -> Callable[..., Workflow]:
    """Create a JSONata state machine from its states; it starts at the first one."""

    def make(states: dict[str, Any], **settings: Any) -> Workflow:
        client = aws("stepfunctions")
        return Workflow(client, define(client, role, states, **settings))

    return make


@pytest.fixture
def stack(aws: Aws) -> Iterator[Stack]:
    made = Stack(aws("cloudformation"), unique("stack"))
    yield made
    made.delete()
