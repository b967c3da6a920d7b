"""Stacks that were changing when the embedded AWS ended: nothing changes them any more, so they failed.

AWS's CloudFormation does not end in the middle. `CREATE_FAILED` and `UPDATE_FAILED` are what it leaves where
nothing is rolled back; the next change goes on from there, and a failed deletion is deleted again.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

from typing import Any

from ministack.core import responses
from ministack.services import cloudformation

from embedded_aws.core import ministack_names as private

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
