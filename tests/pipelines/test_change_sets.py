"""Stacks by change set: made, changed, left alone, and what a failure says."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from environments import schema
from pipelines.aws import stacks
from pipelines.aws.accounts import Aws
from pipelines.aws.stacks import StackFailed, StackRequest
from pipelines.deploy import artifacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.instance import Instance


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def passing(self, line: str) -> None:
        """Nothing worth remembering."""


@pytest.fixture(scope="module")
def there(embedded: Instance) -> Aws:
    return Aws(schema.load("staging"), embedded.endpoint, embedded.mongodb_uri)


@pytest.fixture
def request_for(there: Aws) -> Callable[..., StackRequest]:
    """Write a stack of its own name: `request_for(resource, ...)`, each a Type and Properties."""
    name = f"trial-{uuid.uuid4().hex[:8]}"

    def request_for(**resources: dict[str, Any]) -> StackRequest:
        body = json.dumps({"Resources": resources})
        url = artifacts.upload_template(there, artifacts.bucket(there), name, body)
        return StackRequest(name, url, parameters={}, tags={"system": "trial"})

    return request_for


def _topic(name: str) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}


_ORPHAN = {
    "Type": "AWS::EC2::VPCPeeringConnection",
    "DependsOn": "First",
    "Properties": {"VpcId": "vpc-00000000000000001", "PeerVpcId": "vpc-00000000000000002"},
}
"""A connection between two networks that do not exist."""


def test_a_stack_is_made_then_changed_then_left_alone(
    there: Aws, request_for: Callable[..., StackRequest]
) -> None:
    notes = Notes()
    # Given a stack that is made
    first = request_for(First=_topic("one"))
    assert stacks.deploy(there, first, notes) == "created"
    # When it is deployed changed, and then again
    changed = request_for(First=_topic("two"), Second=_topic("new"))
    assert stacks.deploy(there, changed, notes) == "updated"
    assert stacks.deploy(there, changed, notes) == "unchanged"
    # Then what would change was told each time
    name = first.name
    assert notes.said == [f"{name}: 1 to add", f"{name}: 1 to add, 1 to change", f"{name}: nothing to change"]


def test_a_failure_names_the_first_resource_that_failed(
    there: Aws, request_for: Callable[..., StackRequest]
) -> None:
    notes, request = Notes(), request_for(First=_topic("one"), Orphan=_ORPHAN)
    with pytest.raises(StackFailed, match=r"ended in ROLLBACK_COMPLETE.*First failure: Orphan \(AWS::EC2"):
        stacks.deploy(there, request, notes)
    assert any("Orphan" in line for line in notes.said)


def test_a_stack_whose_creation_failed_is_replaced(
    there: Aws, request_for: Callable[..., StackRequest]
) -> None:
    # Given a stack whose creation was rolled back
    broken = request_for(First=_topic("one"), Orphan=_ORPHAN)
    with pytest.raises(StackFailed):
        stacks.deploy(there, broken)
    # When it is deployed mended, then it is made
    assert stacks.deploy(there, request_for(First=_topic("one"))) == "created"
    assert stacks.status(there, broken.name) == "CREATE_COMPLETE"


def test_an_update_that_fails_is_rolled_back_and_can_be_tried_again(
    there: Aws, request_for: Callable[..., StackRequest]
) -> None:
    # Given a stack whose update was rolled back
    stacks.deploy(there, request_for(First=_topic("one")))
    with pytest.raises(StackFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        stacks.deploy(there, request_for(First=_topic("two"), Orphan=_ORPHAN))
    # When another update is deployed, then it is done
    assert stacks.deploy(there, request_for(First=_topic("three"))) == "updated"


def test_a_template_that_is_none_is_refused(there: Aws, request_for: Callable[..., StackRequest]) -> None:
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stacks.deploy(there, request_for(First={"Type": "AWS::No::Such"}))


def test_a_deleted_stack_is_gone_and_can_be_made_again(
    there: Aws, request_for: Callable[..., StackRequest]
) -> None:
    request = request_for(First=_topic("one"))
    stacks.deploy(there, request)
    assert stacks.delete(there, request.name)
    assert stacks.status(there, request.name) is None
    assert not stacks.delete(there, request.name)
    assert stacks.deploy(there, request) == "created"
