"""What a stack runs, read from the real templates deployed: equal in two stacks, other after a change."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest

from pipelines.aws import stacks
from pipelines.deploy import artifacts
from pipelines.evidence import stack_changes
from pipelines.promotion import running_stack, verification
from templates.capabilities.stack_interface import code_version
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws
    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.conftest import Built


@pytest.fixture(scope="module")
def other(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    return deploy("payments-running")


@pytest.fixture(scope="module")
def production(here: Aws, deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    """A stack that is tampered with; each test begins with how it is then."""
    return deploy(here.environment.default_stack)


def test_two_stacks_of_one_release_run_the_same(
    deployed: PaymentStack, other: PaymentStack, built: Built
) -> None:
    # Given two stacks that were deployed from the same packages and templates
    first = running_stack.read(deployed.aws, deployed.name)
    second = running_stack.read(other.aws, other.name)
    # Then nothing differs between them
    assert running_stack.differences(first, second) == []
    # And the code is what was built, function by function
    codes = {name: package.sha256 for name, package in built.manifest.items()}
    assert {name: first[running_stack.code_of(name)] for name in codes} == codes
    # And workflows, aliases and the API are in it
    assert {"PaymentWorkflowVersion definition", "PaymentWorkflowLive leads to", "DataApi routes"} <= set(
        first
    )
    assert first["PaymentWorkflowLive leads to"] == "<PaymentWorkflowVersion> 100"


@pytest.mark.parametrize(
    ("release", "differs"), [(r"\1-7-12-3", []), (r"0badf00d\2", ["PaymentWorkflow definition"])]
)
def test_how_often_functions_were_published_is_no_difference_and_their_definition_is(
    deployed: PaymentStack, other: PaymentStack, release: str, differs: list[str]
) -> None:
    # Given a workflow whose release is called otherwise
    expected = running_stack.read(deployed.aws, deployed.name)
    stepfunctions, machine = other.aws.stepfunctions, other.workflow.removesuffix(":live")
    definition = stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"]
    renamed, times = re.subn(r'(?<="release": ")([0-9a-f]{8})((?:-[0-9]+)+)(?=")', release, definition)
    assert times
    try:
        stepfunctions.update_state_machine(stateMachineArn=machine, definition=renamed)
        # Then only another definition's digest is a difference
        found = running_stack.differences(expected, running_stack.read(other.aws, other.name))
        assert [line.partition(":")[0] for line in found] == differs
    finally:
        stepfunctions.update_state_machine(stateMachineArn=machine, definition=definition)


def test_a_workflow_that_was_changed_by_hand_is_named(deployed: PaymentStack, other: PaymentStack) -> None:
    # Given a state machine that somebody changes behind its stack
    expected = running_stack.read(deployed.aws, deployed.name)
    machine = other.smoke
    stepfunctions = other.aws.stepfunctions
    definition = json.loads(stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"])
    try:
        changed = json.dumps(definition | {"Comment": "changed by hand"})
        stepfunctions.update_state_machine(stateMachineArn=machine, definition=changed)
        # Then that definition differs, and nothing else
        found = running_stack.differences(expected, running_stack.read(other.aws, other.name))
        assert [line.partition(":")[0] for line in found] == ["SmokeWorkflow definition"]
    finally:
        stepfunctions.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))


class Tampering:
    """What somebody with the right to it does to a deployed stack, behind the back of its pipeline."""

    def __init__(self, stack: PaymentStack) -> None:
        self._aws = stack.aws
        listed = stacks.resources(self._aws, stack.name)
        self._physical = {part["LogicalResourceId"]: part["PhysicalResourceId"] for part in listed}
        self._gateway = self._aws.client("apigateway")

    def shifted_code(self) -> None:
        """Lead all requests to other code than was deployed."""
        self._shift(share=1.0)

    def shifted_share(self) -> None:
        """Lead one request in a hundred to other code."""
        self._shift(share=0.01)

    def shifted_workflow(self) -> None:
        """Let orders run another version of their workflow."""
        machine = self._physical["PaymentWorkflow"]
        described = self._aws.stepfunctions.describe_state_machine(stateMachineArn=machine)
        changed = json.dumps(json.loads(described["definition"]) | {"Comment": "changed by hand"})
        version = self._aws.stepfunctions.update_state_machine(
            stateMachineArn=machine, definition=changed, publish=True
        )["stateMachineVersionArn"]
        self._aws.stepfunctions.update_state_machine_alias(
            stateMachineAliasArn=self._physical["PaymentWorkflowLive"],
            routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}],
        )

    def opened_route(self) -> Callable[[], None]:
        """Add a path to the API that nobody has to be authorized for; return what closes it."""
        api = self._physical["DataApi"]
        root = next(
            part["id"] for part in self._gateway.get_resources(restApiId=api)["items"] if part["path"] == "/"
        )
        path = self._gateway.create_resource(restApiId=api, parentId=root, pathPart="open")["id"]
        method = {"restApiId": api, "resourceId": path, "httpMethod": "GET"}
        self._gateway.put_method(**method, authorizationType="NONE")
        self._gateway.put_integration(**method, type="MOCK")
        self._gateway.create_deployment(restApiId=api, stageName=self._physical["DataApiStage"])

        def close() -> None:
            self._gateway.delete_resource(restApiId=api, resourceId=path)
            self._gateway.create_deployment(restApiId=api, stageName=self._physical["DataApiStage"])

        return close

    def _shift(self, share: float) -> None:
        function, _, alias = self._physical["DataApiLive"].rpartition(":")
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("data_api/handler.py", f"def handler(event, context): return {share}\n")
        functions = self._aws.functions
        other = functions.update_function_code(FunctionName=function, ZipFile=body.getvalue(), Publish=True)[
            "Version"
        ]
        present = functions.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
        weights = {} if share == 1 else {other: share}
        functions.update_alias(
            FunctionName=function,
            Name=alias,
            FunctionVersion=present if weights else other,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )


@pytest.mark.parametrize(
    ("tamper", "differs"),
    [
        (Tampering.shifted_code, ["DataApiLive leads to"]),
        (Tampering.shifted_share, ["DataApiLive leads to"]),
        (Tampering.shifted_workflow, ["PaymentWorkflow definition", "PaymentWorkflowLive leads to"]),
        (Tampering.opened_route, ["DataApi routes"]),
    ],
    ids=["other code", "a share to other code", "another workflow", "an open route"],
)
def test_a_stack_that_was_tampered_with_is_not_what_staging_ran(
    production: PaymentStack, tamper: Callable[[Tampering], object], differs: list[str]
) -> None:
    # Given production as it was deployed, and the record of what staging ran
    staging = running_stack.read(production.aws, production.name)
    verification.check_running(production.aws, staging)
    # When somebody changes it after its deployment
    tamper(Tampering(production))
    # Then the comparison names what was changed, and fails
    running = running_stack.read(production.aws, production.name)
    assert [line.partition(":")[0] for line in running_stack.differences(staging, running)] == differs
    with pytest.raises(verification.NotAsApproved, match=differs[0]):
        verification.check_running(production.aws, staging)


def test_a_byte_that_changed_in_the_store_is_seen_in_what_runs(deployed: PaymentStack, built: Built) -> None:
    # Given a package in the store that differs in one byte from the one that was built, under the same key
    aws, package = deployed.aws, built.manifest["data_api"]
    content = bytearray((built.folder / package.file).read_bytes())
    content[len(content) // 2] ^= 1
    bucket = artifacts.bucket(aws)
    version = aws.s3.put_object(Bucket=bucket, Key=package.key, Body=bytes(content))["VersionId"]
    # When a stack is deployed from it, by the same template
    (described,) = aws.cloudformation.describe_stacks(StackName=deployed.name)["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described["Parameters"]}
    parameters[code_version("data_api")] = version
    name, template = "payments-changed-byte", json.dumps(stack_changes.template(aws, deployed.name))
    aws.cloudformation.create_stack(
        StackName=name,
        TemplateURL=artifacts.upload_template(aws, bucket, name, template),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in parameters.items()],
    )
    wait_until(lambda: stacks.status(aws, name) == "CREATE_COMPLETE", "the stack")
    try:
        # Then its code is not what staging ran, and nothing else differs
        staging, running = (running_stack.read(aws, stack) for stack in (deployed.name, name))
        differs = running_stack.differences(staging, running)
        assert [line.partition(":")[0] for line in differs] == ["DataApi code"]
    finally:
        aws.cloudformation.delete_stack(StackName=name)
        wait_until(lambda: stacks.status(aws, name) is None, "the removal")
