"""What stops a first release in an account where nobody deployed before."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import WaiterError
from embedded_workbench import unique

from environments import schema, tools
from pipelines.aws.accounts import Aws
from pipelines.core import branch_names
from pipelines.definitions import bootstrap_stack
from pipelines.deploy import pipelines
from pipelines.doctor import stacks as doctor
from pipelines.doctor.findings import State

if TYPE_CHECKING:
    from embedded_aws.instance import Instance

QUICKLY: Any = {"Delay": 0.1, "MaxAttempts": 200}
OBJECTIVE: dict[str, Any] = {
    "Type": "AWS::ApplicationSignals::ServiceLevelObjective",
    "Properties": {
        "Name": "orders",
        "Goal": {"AttainmentGoal": 99.9},
        "RequestBasedSli": {"RequestBasedSliMetric": {}},
    },
}


@pytest.fixture
def fresh(embedded: Instance) -> Aws:
    """The branches' environment in an account that nobody used."""
    account = f"{uuid.uuid4().int % 10**12:012}"
    environment = schema.load("branch").model_copy(update={"account": account})
    return Aws(environment, embedded.endpoint, embedded.mongodb_uri)


def execution_role(aws: Aws) -> str:
    """Deploy the account's bootstrap stack, and return the role that CloudFormation acts as."""
    name, template = unique("bootstrap"), bootstrap_stack.build(tools.load(), aws.environment)
    aws.cloudformation.create_stack(
        StackName=name, TemplateBody=template.to_json(), Capabilities=["CAPABILITY_IAM"]
    )
    aws.cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICKLY)
    outputs = aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return next(output["OutputValue"] for output in outputs if output["OutputKey"] == "ExecutionRole")


def deploy(aws: Aws, role: str, resource: dict[str, Any]) -> str:
    """Deploy a branch's stack of one resource, and return why it failed; nothing where it did not."""
    stack = branch_names.stack_name(unique("feature/x"))
    aws.cloudformation.create_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": {"Made": resource}}), RoleARN=role
    )
    try:
        aws.cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
    except WaiterError:
        events = aws.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return next(e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED")
    return ""


def test_a_first_service_level_objective_needs_the_role_that_the_administrator_makes(fresh: Aws) -> None:
    # Given an account without the service-linked role of Application Signals
    role = execution_role(fresh)
    assert doctor.service_linked_roles(fresh).state is State.FAILED
    # Then no pipeline's CloudFormation can make an objective there
    assert "is not authorized to perform: iam:CreateServiceLinkedRole" in deploy(fresh, role, OBJECTIVE)
    # When its administrator made the role, which may be repeated
    pipelines.ensure_service_roles(fresh)
    pipelines.ensure_service_roles(fresh)
    # Then it can
    assert doctor.service_linked_roles(fresh).state is State.OK
    assert deploy(fresh, role, OBJECTIVE) == ""


def test_another_refusal_to_make_the_role_is_not_taken_for_one_that_is_there(fresh: Aws) -> None:
    nobody = replace(fresh, endpoint="http://127.0.0.1:1")
    with pytest.raises(Exception, match="Could not connect"):
        pipelines.ensure_service_roles(nobody)
