"""MiniStack's records of stacks and change sets: found as CloudFormation's requests name them."""

from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import new_uuid

from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import parameter

Json = dict[str, Any]
EXECUTED = "EXECUTE_COMPLETE"
_SPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def refusal(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """Refuse a request."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<ErrorResponse xmlns="{_SPACE}">{error}<RequestId>{new_uuid()}</RequestId></ErrorResponse>'
    return 400, {"Content-Type": "application/xml"}, body.encode()


def find_stack(name: str) -> Json | None:
    """Return a stack by its name or its id."""
    stacks = private.cloudformation.stacks
    by_id = (stack for stack in stacks.values() if stack.get("StackId") == name)
    stack: Json | None = stacks.get(name) or next(by_id, None)
    return stack


def find_change_set(params: Json) -> Json | None:
    """Return the change set that a request names, by its id or by its name and its stack's.

    By its name, one that can be executed is meant before one that was.
    """
    named, stack_name = parameter(params, "ChangeSetName"), parameter(params, "StackName")
    change_sets = private.cloudformation.change_sets
    if named in change_sets:
        by_id: Json = change_sets[named]
        return by_id
    stack = find_stack(stack_name) if stack_name else None
    wanted = stack["StackName"] if stack else stack_name
    matching = [
        change_set
        for change_set in change_sets.values()
        if change_set["ChangeSetName"] == named and (not wanted or change_set["StackName"] == wanted)
    ]
    return min(matching, key=lambda each: bool(each["ExecutionStatus"] == EXECUTED), default=None)
