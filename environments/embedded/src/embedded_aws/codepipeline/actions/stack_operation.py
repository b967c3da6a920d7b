"""Watching a stack: its status, its change sets, an operation until it ends."""

import itertools
from collections.abc import Iterator

from botocore.exceptions import ClientError

from embedded_aws.codepipeline.actions.action import Action, ActionFailed, failed
from embedded_aws.core.api import Json

_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


def status(action: Action) -> str | None:
    """Return the status of the action's stack, or none when there is no such stack."""
    stack = _stack(action)
    return None if stack is None else str(stack["StackStatus"])


def settled(action: Action) -> bool:
    """Tell whether the stack stands well."""
    return status(action) in _GOOD


def outputs(action: Action) -> dict[str, str]:
    """Return the stack's outputs: they are the action's output variables."""
    stack = _stack(action) or {}
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def change_set(action: Action, name: str) -> Json | None:
    """Read a change set of the stack, when there is one, as DescribeChangeSet shows it.

    Raises:
        ActionFailed: CloudFormation refused it.
    """
    client = action.session.client("cloudformation")
    try:
        described: Json = client.describe_change_set(
            StackName=action.configuration["StackName"], ChangeSetName=name
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in {
            "ChangeSetNotFound",
            "ChangeSetNotFoundException",
            "ValidationError",
        }:
            return None
        raise failed(error) from None
    return described


def made_change_set(action: Action, name: str) -> Json | None:
    """Read a change set, as DescribeChangeSet shows it, once it is made, well or not."""
    described = change_set(action, name)
    return described if described and described["Status"] in {"CREATE_COMPLETE", "FAILED"} else None


def without_changes(described: Json) -> bool:
    """Tell whether a change set failed only because nothing would change."""
    return described["Status"] == "FAILED" and any(
        words in described.get("StatusReason", "") for words in _NO_CHANGES
    )


def newest_event(action: Action) -> str | None:
    """Return the id of the stack's newest event, from which on an operation is followed."""
    newest = next(_events(action, str(action.configuration["StackName"])), None)
    return newest["EventId"] if newest else None


def follow(action: Action, before: str | None, *, deleting: bool = False) -> None:
    """Wait until the operation that was just begun has ended.

    Raises:
        ActionFailed: it did not end well; the message names the first resource that failed, and why.
    """
    stack = _stack(action)
    if stack is None and deleting:
        return
    stack_id = stack["StackId"] if stack else action.configuration["StackName"]
    action.report(externalExecutionId=stack_id)
    ended: str = action.until(lambda: _ended(action, stack_id, before))
    good = {"DELETE_COMPLETE"} if deleting else _GOOD
    if ended not in good:
        raise ActionFailed(
            f"Stack {action.configuration['StackName']} ended in {ended}. {_reason(action, stack_id, before)}"
        )


def _ended(action: Action, stack_id: str, before: str | None) -> str | None:
    newest = next(_new(action, stack_id, before), None)
    if newest is None or newest["PhysicalResourceId"] != stack_id:
        return None
    stack_status = str(newest["ResourceStatus"])
    return None if stack_status.endswith("_IN_PROGRESS") else stack_status


def _reason(action: Action, stack_id: str, before: str | None) -> str:
    bad = [event for event in _new(action, stack_id, before) if event["ResourceStatus"].endswith("_FAILED")]
    if not bad:
        return ""
    return f"{bad[-1]['LogicalResourceId']}: {bad[-1].get('ResourceStatusReason', '')}"


def _new(action: Action, stack: str, before: str | None) -> Iterator[Json]:
    return itertools.takewhile(lambda event: event["EventId"] != before, _events(action, stack))


def _events(action: Action, stack: str) -> Iterator[Json]:
    """Yield events, newest first, a page at a time: a stack's history grows with every release."""
    client = action.session.client("cloudformation")
    try:
        for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
            yield from page["StackEvents"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise failed(error) from None


def _stack(action: Action) -> Json | None:
    client = action.session.client("cloudformation")
    try:
        stack: Json = client.describe_stacks(StackName=action.configuration["StackName"])["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise failed(error) from None
    return stack
