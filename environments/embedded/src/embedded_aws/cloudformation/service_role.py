"""CloudFormation does what the role may that it was handed, and nothing else.

MiniStack takes a `RoleARN` and does everything itself. A stack keeps the role of its last operation; a
resource that the role may not make fails with IAM's words, and the stack rolls back. A stack without a role
is its caller's business. Requests carry `cloudformation:RoleArn` and the stack's tags as condition keys.

Source: CloudFormation user guide, "CloudFormation service role"; Service Authorization Reference, AWS
CloudFormation.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region

from embedded_aws.cloudformation import stack_records
from embedded_aws.cloudformation.permissions import Resource, made_up_name, questions
from embedded_aws.core import ministack_names as private
from embedded_aws.core import runtime
from embedded_aws.core.api import parameter
from embedded_aws.core.runtime import FAILING
from embedded_aws.iam.decisions import Question, allows, session

_Handler = Callable[[dict[str, Any]], Any]
_ROLE = "RoleARN"
_SESSION = "AWSCloudFormation"
_WHOLES = ("RestApiId", "RouteTableId", "GroupId", "VpcId")
"""Properties that name what a resource is a part of; a part has no tags of its own for IAM."""


def install() -> None:
    """Stand before the operations on stacks, and before each resource."""
    iam_actions.request_tag_context = _with_stack_keys(iam_actions.request_tag_context)
    actions = private.cloudformation_handlers.ACTION_HANDLERS
    for name in ("CreateStack", "UpdateStack"):
        actions[name] = _then(actions[name], _note_on_stack)
    actions["CreateChangeSet"] = _then(actions["CreateChangeSet"], _note_on_change_set)
    actions["ExecuteChangeSet"] = _first(actions["ExecuteChangeSet"], _take_from_change_set)
    actions["DeleteStack"] = _first(actions["DeleteStack"], _note_on_stack)
    operations = private.cloudformation_stacks
    operations.provision_resource = _creating(private.cloudformation_stacks.provision_resource)
    operations.update_resource = _updating(private.cloudformation_stacks.update_resource)
    operations.delete_resource = _deleting(private.cloudformation_stacks.delete_resource)


def _with_stack_keys(stock: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        keys = stock(service, action, body, params)
        if service != "cloudformation":
            return keys
        role, stack = parameter(params, _ROLE), _stack(parameter(params, "StackName"))
        tags = {f"aws:resourcetag/{tag['Key']}".lower(): tag["Value"] for tag in stack.get("Tags") or []}
        return keys | tags | ({"cloudformation:rolearn": role} if role else {})

    return context


def _then(stock: _Handler, note: Callable[[dict[str, Any]], None]) -> _Handler:
    def handle(params: dict[str, Any]) -> Any:
        answer = stock(params)
        note(params)  # what the operation began runs later, on the same loop
        return answer

    return handle


def _first(stock: _Handler, note: Callable[[dict[str, Any]], None]) -> _Handler:
    def handle(params: dict[str, Any]) -> Any:
        note(params)
        return stock(params)

    return handle


def _note_on_stack(params: dict[str, Any]) -> None:
    if role := parameter(params, _ROLE):
        _stack(parameter(params, "StackName"))[_ROLE] = role


def _note_on_change_set(params: dict[str, Any]) -> None:
    change_set = stack_records.find_change_set(params)
    if change_set and (role := parameter(params, _ROLE)):
        change_set[_ROLE] = role


def _take_from_change_set(params: dict[str, Any]) -> None:
    change_set = stack_records.find_change_set(params)
    if change_set and change_set.get(_ROLE):
        _stack(change_set["StackName"])[_ROLE] = change_set[_ROLE]


def _creating(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(kind: str, logical_id: str, props: dict[str, Any], stack: str) -> Any:
        # Any creation may fail on AWS, of throttling, a quota, a right that is not known everywhere yet.
        if f"{_stack(stack).get('StackName')}/{logical_id}" in runtime.current().setting(FAILING, []):
            raise ValueError(f"Resource handler returned message: {logical_id} was to fail")
        _require(stack, "create", kind, made_up_name(kind, stack, logical_id), props)
        return stock(kind, logical_id, props, stack)

    return create


def _updating(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(kind: str, physical_id: str, old: Any, new: Any, stack: str, *rest: Any) -> Any:
        if old != new:
            _require(stack, "update", kind, physical_id, new, before=old)
        return stock(kind, physical_id, old, new, stack, *rest)

    return update


def _deleting(stock: Callable[..., Any]) -> Callable[..., Any]:
    def delete(kind: str, physical_id: str, props: Any, stack: str | None = None, *rest: Any) -> Any:
        if stack:
            _require(stack, "delete", kind, physical_id, props)
        return stock(kind, physical_id, props, stack, *rest)

    return delete


def _require(stack: str, operation: str, kind: str, name: str, props: Any, *, before: Any = None) -> None:
    role = _stack(stack).get(_ROLE)
    if role and kind.startswith("AWS::"):
        place = (get_region(), get_account_id())
        tags = _tags_of_whole(props or {})
        if tags is None:  # of a new thing only what it asks for is known, which is no tag of it yet
            tags = {} if operation == "create" else _tags(_stack(stack))
        resource = Resource(kind, str(name), props or {}, *place, before or {}, tags)
        for question in questions(operation, resource):
            _ask(role, question)


def _tags_of_whole(props: Any) -> dict[str, str] | None:
    """The tags of what the resource is a part of, which are its stack's; none when no stack made that."""
    wholes = {str(props[key]) for key in _WHOLES if key in props}
    for stack in private.cloudformation.stacks.values() if wholes else ():
        made = {part.get("PhysicalResourceId") for part in stack.get("_resources", {}).values()}
        if wholes & made:
            return _tags(stack)
    return None


def _tags(stack: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags") or []}


def _ask(role: str, question: Question) -> None:
    account, name = role.split(":")[4], role.rpartition("/")[2]
    if not allows(account, name, _SESSION, question, get_region()):
        raise ValueError(
            f"User: {session(account, name, _SESSION)} is not authorized to perform: {question.action} on "
            f"resource: {question.resource}"
        )


def _stack(name: str) -> dict[str, Any]:
    """A stack by name or id; one that is not there is nobody's."""
    return stack_records.find_stack(name) or {}
