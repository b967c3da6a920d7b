"""The table of CloudFormation types: what services add to it, and how a type uses a service's own operations.

MiniStack keeps one table of types. An entry's functions are called with resolved properties, and a ValueError
of theirs fails the resource with its text. An update that returns another physical id is a replacement:
MiniStack deletes the predecessor once the update has succeeded, or keeps it where UpdateReplacePolicy says
Retain. A type that is in no table keeps MiniStack's refusal.

CloudFormation properties turned into the requests of the API, guided by the API's own model.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from botocore.model import Shape
from ministack.core import responses

from embedded_aws.core import api_model
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.core.service import Service

_TRUE = {"true", "yes"}


def spelled_request(service: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Spell properties as an operation's request: PascalCase names as the model has them, text as numbers."""
    shape = api_model.service_model(service).operation_model(operation).input_shape
    spelled: dict[str, Any] = converted(shape, properties) if shape else {}
    return spelled


def converted(shape: Any, value: Any) -> Any:
    """Spell one value as its shape asks; what the shape does not know is dropped."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        return {
            names[key.lower()]: converted(shape.members[names[key.lower()]], member)
            for key, member in value.items()
            if key.lower() in names
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [converted(shape.member, member) for member in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: converted(shape.value, member) for key, member in value.items()}
    return _scalar(shape, value)


def _scalar(shape: Shape, value: Any) -> Any:
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() in _TRUE
    if shape.type_name in {"integer", "long"} and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    if shape.type_name == "string" and isinstance(value, int | float):
        return str(value)
    return value


Created = tuple[str, dict[str, Any]]
"""A physical id, and the attributes that Fn::GetAtt reads."""
Handlers = dict[str, Callable[..., Any]]
_NAME_LIMIT = 100
_on_threads: set[str] = set()


def install() -> None:
    """Run the types that call the endpoint, or wait, on threads: the event loop must stay free to answer."""
    stock = private.cloudformation_stacks.runs_on_worker_thread
    private.cloudformation_stacks.runs_on_worker_thread = lambda kind: kind in _on_threads or stock(kind)


def add(types: dict[str, Any], *, on_threads: bool = False) -> None:
    """Add types to the table.

    Args:
        types: the handlers by type name.
        on_threads: whether they call the instance's own endpoint, or wait for something.
    """
    private.cloudformation_provisioners.RESOURCE_HANDLERS.update(types)
    if on_threads:
        _on_threads.update(types)


def stock_handlers(kind: str) -> Handlers:
    """Return the handlers of a type of MiniStack's, to be wrapped in place."""
    handlers: Handlers = private.cloudformation_provisioners.RESOURCE_HANDLERS[kind]
    return handlers


def handlers(
    create: Callable[[str, Json, str], Created],
    update: Callable[[str, Json, Json, str], Created] | None,
    delete: Callable[[str, Json], None],
) -> Handlers:
    """Build a type's entry; without an update, every change of it is refused."""
    entry: Handlers = {"create": create, "delete": delete}
    return entry | ({"update": update} if update else {})


def scope() -> Scope:
    """Return the account and region of the stack that is being changed."""
    return Scope(responses.get_account_id(), responses.get_region())


def perform(service: Service, operation: str, resource_properties: Json) -> Json:
    """Perform a service's operation with a resource's properties; return the answer of `operation`.

    Raises:
        ValueError: the service refuses; the message is what CloudFormation shows as the resource's reason.
    """
    request = spelled_request(service.name, operation, resource_properties)
    try:
        return service.perform(operation, scope(), request)
    except ApiError as error:
        raise ValueError(f"{error} (Service: {service.name}, Code: {error.code})") from None


def physical_name(stack: str, logical_id: str, wanted: str | None, limit: int = _NAME_LIMIT) -> str:
    """Return the name that the template gives, or one made of the stack's name and the logical id."""
    suffix = hashlib.sha256(f"{stack}:{logical_id}".encode()).hexdigest()[:13].upper()
    return wanted or f"{stack}-{logical_id}"[: limit - len(suffix) - 1] + f"-{suffix}"
