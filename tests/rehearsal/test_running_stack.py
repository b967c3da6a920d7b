"""What a stack runs, read from the real templates deployed: equal in two stacks, other after a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipelines.promotion import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.conftest import Built


@pytest.fixture(scope="module")
def other(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    return deploy("payments-running")


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
