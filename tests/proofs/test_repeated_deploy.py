"""`payments pipeline deploy` goes on after a failure at any resource of any stack that it makes.

Each creation fails in turn, in the order in which CloudFormation makes them; each time the command is given
again it gets past what failed before, to the next that fails, and in the end it is done.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from environments.groupings import PROMOTED
from pipelines.aws import accounts, stacks
from pipelines.aws.accounts import Aws
from pipelines.core.refusals import Refused
from pipelines.deploy import pipelines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments.tools import Tools

Parties = tuple["Tools", Aws, dict[str, Aws]]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[instance.Instance]:
    """An embedded AWS of this proof's own, where creations fail."""
    root = tmp_path_factory.mktemp("embedded-aws")
    yield instance.start(root, attached=True)
    instance.stop(root)


def parties(local: instance.Instance) -> Parties:
    """Return settings, tools and targets, all in one account that nobody used."""
    account = {"account": f"{uuid.uuid4().int % 10**12:012}"}
    settings = tools_file.load().model_copy(update=account)
    targets = {
        name: Aws(schema.load(name).model_copy(update=account), local.endpoint, local.mongodb_uri)
        for name in PROMOTED
    }
    return settings, accounts.connect_tools(local.endpoint, settings), targets


def made(aws: Aws, name: str) -> list[str]:
    """Return the logical ids of a stack's resources, in the order in which they were created."""
    pages = aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    events = [event for page in pages for event in page["StackEvents"]]
    begun = [
        event["LogicalResourceId"]
        for event in reversed(events)
        if event["ResourceStatus"] == "CREATE_COMPLETE" and event["PhysicalResourceId"] != event["StackId"]
    ]
    return list(dict.fromkeys(begun))


def test_a_deployment_is_repeated_after_a_failure_at_each_resource(local: instance.Instance) -> None:
    # Given which resources each stack of an account has, in their order
    settings, tools, targets = parties(local)
    changes = pipelines.deploy(tools, targets, settings)
    places = {stack.partition(": ")[2]: stack.partition(": ")[0] for stack in changes}
    failing = [
        f"{stack}/{resource}"
        for stack, whose in places.items()
        for resource in made(tools if whose == "tools" else targets[whose], stack)
    ]
    assert len(failing) > 150
    # When in another account each creation fails in turn
    settings, tools, targets = parties(local)
    for place in failing:
        instance.fail_creations(local.root, place)
        # Then the command says which, and the same command is given again
        with pytest.raises(Refused, match=place.partition("/")[2]):
            pipelines.deploy(tools, targets, settings)
    instance.fail_creations(local.root)
    # And at last everything is there, with nothing left to change
    pipelines.deploy(tools, targets, settings)
    assert set(pipelines.deploy(tools, targets, settings).values()) == {"unchanged"}
    # Once its database is connected, a network has been updated, too
    assert {stacks.status(tools, stack) for stack in places} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
