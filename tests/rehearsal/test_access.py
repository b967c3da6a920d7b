"""Who may do what in a deployed stack: exactly what its work needs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.aws import stacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.conftest import Built

STEPS = {
    "ReserveProducts": "reservation",
    "ProcessPayment": "payment",
    "ArrangeDelivery": "deliveries",
    "RefundPayment": "refund",
    "ReleaseProducts": "release",
    "RecordFailure": "failure",
}
"""Each step function, and the one thing of an order that it may PUT."""


@pytest.fixture(scope="module")
def resources(deployed: PaymentStack) -> dict[str, str]:
    """Physical ids of the stack's resources, by logical id."""
    listed = stacks.resources(deployed.aws, deployed.name)
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}


@pytest.fixture(scope="module")
def allowed(deployed: PaymentStack) -> Callable[[str, str, str], bool]:
    """Ask IAM whether a role may do something: `allowed(role, action, resource)`."""
    iam = deployed.aws.session.client("iam", endpoint_url=deployed.aws.endpoint)

    def allowed(role: str, action: str, resource: str) -> bool:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        asked = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
        )
        return asked["EvaluationResults"][0]["EvalDecision"] == "allowed"

    return allowed


def test_the_workflow_may_invoke_its_functions_and_no_other(
    resources: dict[str, str], allowed: Callable[[str, str, str], bool]
) -> None:
    # Given every function version of the stack
    versions = {name: arn for name, arn in resources.items() if name.endswith("Version")}
    del versions["PaymentWorkflowVersion"]
    # When IAM is asked which the workflow's role may invoke
    role = resources["PaymentWorkflowRole"]
    may = {name for name, arn in versions.items() if allowed(role, "lambda:InvokeFunction", arn)}
    # Then they are the six that its states call, and not the data API's, nor the smoke function's
    assert may == {f"{step}Version" for step in STEPS}
    # And no function of anyone else, nor anything but invoking
    elsewhere = versions["RecordFailureVersion"].replace("RecordFailure", "Elsewhere")
    assert not allowed(role, "lambda:InvokeFunction", elsewhere)
    assert not allowed(role, "lambda:UpdateFunctionCode", versions["RecordFailureVersion"])


@pytest.mark.parametrize("step", STEPS)
def test_a_step_may_ask_the_data_api_for_its_own_work_alone(
    step: str, resources: dict[str, str], deployed: PaymentStack, allowed: Callable[[str, str, str], bool]
) -> None:
    # Given everything that can be asked about an order
    environment = deployed.aws.environment
    api = f"arn:aws:execute-api:{environment.region}:{environment.account}:{resources['DataApi']}/live"
    parts = [f"orders/order-1/{part}" for part in STEPS.values()]
    parts += ["orders/order-1", "users/ada", "products/tea"]
    paths = [f"{method}/{part}" for method in ("PUT", "GET", "DELETE") for part in parts]
    # When IAM is asked what the step's role may
    role = resources[f"{step}Role"]
    may = [path for path in paths if allowed(role, "execute-api:Invoke", f"{api}/{path}")]
    # Then it is one thing
    assert may == [f"PUT/orders/order-1/{STEPS[step]}"]


def test_a_step_with_another_steps_role_gets_access_denied(
    resources: dict[str, str], deployed: PaymentStack, built: Built
) -> None:
    # Given the code that charges, in the stack's network, with the role that only releases
    functions = deployed.aws.functions
    charging = functions.get_function_configuration(FunctionName=resources["ProcessPaymentFunction"])
    releasing = functions.get_function_configuration(FunctionName=resources["ReleaseProductsFunction"])
    network = charging["VpcConfig"]
    impostor = functions.create_function(
        FunctionName="impostor",
        Runtime="python3.13",
        Handler=charging["Handler"],
        Role=releasing["Role"],
        Code={"ZipFile": (built.folder / built.manifest["process_payment"].file).read_bytes()},
        Environment={"Variables": charging["Environment"]["Variables"]},
        VpcConfig={"SubnetIds": network["SubnetIds"], "SecurityGroupIds": network["SecurityGroupIds"]},
        Timeout=8,
    )
    # When it is asked to charge an order
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    try:
        event = {"order_id": "order-1", "execution": "arn:someone", "deadline": soon}
        answer = functions.invoke(FunctionName=impostor["FunctionArn"], Payload=json.dumps(event).encode())
    finally:
        functions.delete_function(FunctionName="impostor")
    # Then the data API does not let it
    error: dict[str, Any] = json.loads(answer["Payload"].read())
    assert error["errorType"] == "AccessDenied"


def test_the_data_api_refuses_a_call_without_a_signature(deployed: PaymentStack) -> None:
    api = stacks.outputs(deployed.aws, deployed.name)["DataApiId"]
    url = f"{deployed.aws.endpoint}/restapis/{api}/live/_user_request_/orders/order-1"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(url)  # noqa: S310 - our own http endpoint
    with refusal.value as answer:
        assert answer.code == 403
