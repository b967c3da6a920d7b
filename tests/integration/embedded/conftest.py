"""Fixtures that deploy what `workbench` holds."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.embedded.workbench import (
    BEHAVING,
    Aws,
    Function,
    Stack,
    Workflow,
    define,
    unique,
    zipped,
)


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
