"""MiniStack's records of stacks and change sets: as requests name them, and as a stop leaves them.

AWS's CloudFormation does not end in the middle. `CREATE_FAILED` and `UPDATE_FAILED` are what it leaves where
nothing is rolled back; the next change goes on from there, and a failed deletion is deleted again.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from ministack.core import responses
from ministack.core.responses import new_uuid
from ministack.services import cloudformation

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


_REASON = "The embedded AWS was stopped while this stack changed."
_UNDER_WAY = "_IN_PROGRESS"
_ONLY_PLANNED = "REVIEW_IN_PROGRESS"  # it has a change set and nothing else, so nothing was interrupted


def install() -> None:
    """Look at what was kept as soon as it is there, before anybody can change a stack anew."""
    stock = cloudformation.load_persisted_state

    def load(data: dict[str, Any]) -> None:
        stock(data)
        _fail_interrupted()

    cloudformation.load_persisted_state = load


def _fail_interrupted() -> None:
    """Say that every stack that was changing, and every change set being executed, failed."""
    for (account, region, name), stack in private.cloudformation.stacks.all_items():
        status = str(stack["StackStatus"])
        if not status.endswith(_UNDER_WAY) or status == _ONLY_PLANNED:
            continue
        operation = status.removesuffix(_UNDER_WAY).removesuffix("_COMPLETE_CLEANUP")
        stack |= {"StackStatus": f"{operation}_FAILED", "StackStatusReason": _REASON}
        identifier = stack["StackId"]
        event = {
            "StackId": identifier,
            "StackName": name,
            "EventId": responses.new_uuid(),
            "LogicalResourceId": name,
            "PhysicalResourceId": identifier,
            "ResourceType": "AWS::CloudFormation::Stack",
            "ResourceStatus": stack["StackStatus"],
            "ResourceStatusReason": _REASON,
            "Timestamp": responses.now_iso(),
        }
        with responses.request_scope(account, region):
            private.cloudformation.stack_events.setdefault(identifier, []).append(event)
    for change_set in private.cloudformation.change_sets.all_values():
        if change_set["ExecutionStatus"] == "EXECUTE_IN_PROGRESS":
            change_set["ExecutionStatus"] = "EXECUTE_FAILED"
