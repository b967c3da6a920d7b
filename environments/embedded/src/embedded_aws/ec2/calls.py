"""EC2's own API, called from inside: stacks make what a caller of the API would make."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region, set_request_account_id, set_request_region

from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import parameter

Parameters = dict[str, Any]
"""A request of the query protocol: names to lists of one value."""


def numbered(parameters: Parameters, name: str) -> list[str]:
    """Return the values of `name.1`, `name.2` and so on."""
    values: list[str] = []
    while value := parameter(parameters, f"{name}.{len(values) + 1}"):
        values.append(value)
    return values


def filters(parameters: Parameters) -> dict[str, list[str]]:
    """Return the filters of a describing call: names to the values that are wanted."""
    wanted: dict[str, list[str]] = {}
    while name := parameter(parameters, f"Filter.{len(wanted) + 1}.Name"):
        wanted[name] = numbered(parameters, f"Filter.{len(wanted) + 1}.Value")
    return wanted


def answer(action: str, inner: str) -> tuple[int, dict[str, str], bytes]:
    """Answer a call with XML."""
    space = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
    body = f"<{action}Response {space}>{inner}<requestId>{uuid.uuid4()}</requestId></{action}Response>"
    return 200, {"Content-Type": "application/xml"}, body.encode()


def refusal(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """Refuse a call."""
    error = f"<Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
    body = f"<Response>{error}<RequestID>{uuid.uuid4()}</RequestID></Response>"
    return 400, {"Content-Type": "application/xml"}, body.encode()


def tags(resource_id: str) -> dict[str, str]:
    """Return a resource's tags."""
    described = call("DescribeTags", Filter=[{"Name": "resource-id", "Value": [resource_id]}])
    return {tag.findtext("key") or "": tag.findtext("value") or "" for tag in described.iter("item")}


def tag(resource_id: str, wanted: list[dict[str, str]]) -> None:
    """Add tags to a resource."""
    if wanted:
        call("CreateTags", ResourceId=[resource_id], Tag=wanted)


def call(action: str, **parameters: Any) -> ET.Element:
    """Call an EC2 action with parameters as in its query API; lists and mappings are numbered and joined.

    Raises:
        ValueError: the call is refused; the message is EC2's.
    """
    _, _, body = private.ec2.ACTION_MAP[action](dict(_flat(parameters)))
    root = ET.fromstring(body)  # noqa: S314 - our own process wrote it
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag == "Response":
        raise ValueError(f"{root.findtext('.//Message')} (Service: Ec2, {root.findtext('.//Code')})")
    return root


@contextlib.contextmanager
def acting_as(account: str, region: str) -> Iterator[None]:
    """Make calls in another account or region, as CloudFormation does with PeerRoleArn."""
    here = get_account_id(), get_region()
    set_request_account_id(account)
    set_request_region(region)
    try:
        yield
    finally:
        set_request_account_id(here[0])
        set_request_region(here[1])


def tag_specification(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Build the TagSpecification parameter of a create call from a template's Tags."""
    tags = properties.get("Tags")
    return {"TagSpecification": [{"ResourceType": kind, "Tag": tags}]} if tags else {}


def retag(resource_id: str, properties: dict[str, Any]) -> None:
    """Set a resource's tags to a template's."""
    wanted = list(properties.get("Tags") or [])
    gone = tags(resource_id).keys() - {each["Key"] for each in wanted}
    if gone:
        call("DeleteTags", ResourceId=[resource_id], Tag=[{"Key": key} for key in sorted(gone)])
    tag(resource_id, wanted)


def _flat(parameters: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from _flat({str(number): item for number, item in enumerate(value, 1)}, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", [str(value)]
