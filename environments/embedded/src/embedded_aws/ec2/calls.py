"""EC2's own API, called from inside: stacks make what a caller of the API would make."""

import contextlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from ministack.core import responses
from ministack.services import ec2


def call(action: str, **parameters: Any) -> ET.Element:
    """Call an EC2 action with parameters as in its query API; lists and mappings are numbered and joined.

    Raises:
        ValueError: the call is refused; the message is EC2's.
    """
    _, _, body = ec2._ACTION_MAP[action](dict(_flat(parameters)))
    root = ET.fromstring(body)  # noqa: S314 - our own process wrote it
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag == "Response":
        raise ValueError(f"{root.findtext('.//Message')} (Service: Ec2, {root.findtext('.//Code')})")
    return root


@contextlib.contextmanager
def acting_as(account: str, region: str) -> Iterator[None]:
    """Make calls in another account or region, as CloudFormation does with PeerRoleArn."""
    account_token = responses._request_account_id.set(account)
    region_token = responses._request_region.set(region)
    try:
        yield
    finally:
        responses._request_account_id.reset(account_token)
        responses._request_region.reset(region_token)


def tag_specification(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Build the TagSpecification parameter of a create call from a template's Tags."""
    tags = properties.get("Tags")
    return {"TagSpecification": [{"ResourceType": kind, "Tag": tags}]} if tags else {}


def retag(resource_id: str, properties: dict[str, Any]) -> None:
    """Set a resource's tags to a template's."""
    ec2._tags[resource_id] = list(properties.get("Tags") or [])


def _flat(parameters: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from _flat({str(number): item for number, item in enumerate(value, 1)}, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", [str(value)]
