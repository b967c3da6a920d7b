"""Stacks: state, outputs, events and deletion."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

    from pipelines.aws.accounts import Aws

_CONSEQUENCE: Final = "Resource creation cancelled"
_LONGEST_SECONDS: Final = 3600
"""VPC functions may take most of an hour to give back their network interfaces on delete."""


class StackFailed(Refused):
    """A stack did not end as asked; the message names the first resource that failed and why."""


def delete(aws: Aws, name: str, reporter: Reporter = NOBODY) -> bool:
    """Delete a stack and wait until it is gone.

    Returns:
        Whether there was one.

    Raises:
        StackFailed: Something in it could not be deleted.
    """
    if status(aws, name) is None:
        return False
    stack_id, token = described(aws, name)["StackId"], unique("delete")
    aws.cloudformation.delete_stack(StackName=stack_id, ClientRequestToken=token)
    follow(aws, stack_id, token, "DELETE_COMPLETE", reporter)
    return True


def status(aws: Aws, name: str) -> str | None:
    """Return the state of a stack, or none when there is no such stack."""
    try:
        return aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def outputs(aws: Aws, name: str) -> dict[str, str]:
    """Return the stack's outputs by name.

    Raises:
        Refused: There is no such stack.
    """
    if status(aws, name) is None:
        where = f"account {aws.environment.account}, {aws.environment.region}"
        raise Refused(
            f"There is no stack {name} in {where}.", f"payments deploy {aws.environment.name} --stack {name}"
        )
    return {output["OutputKey"]: output["OutputValue"] for output in described(aws, name).get("Outputs", [])}


def described(aws: Aws, name: str) -> StackTypeDef:
    """Return CloudFormation's description of a stack that exists."""
    return aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0]


def unique(purpose: str) -> str:
    """Return a name that nothing else has, for change sets and request tokens."""
    return f"payments-{purpose}-{uuid.uuid4().hex}"


def follow(aws: Aws, stack_id: str, token: str, wanted: str, reporter: Reporter) -> None:
    """Report the events of one operation until the stack itself has ended.

    Raises:
        StackFailed: It did not end in the wanted state, or not within an hour.
    """
    reported: set[str] = set()
    first_failure = ""

    def ended() -> bool:
        nonlocal first_failure
        for event in _new_events(aws, stack_id, token, reported):
            state, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
            reporter.passing(f"{event['StackName']}: {event['LogicalResourceId']} {state}")
            if state.endswith("_FAILED") and not first_failure and _CONSEQUENCE not in reason:
                first_failure = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or state}"
                reporter.say(f"{event['StackName']}: {first_failure}")
            if _of_the_stack(event) and not state.endswith("_IN_PROGRESS"):
                if state == wanted:
                    return True
                raise StackFailed(
                    f"Stack {event['StackName']} ended in {state}. First failure: {first_failure}"
                )
        return False

    wait_until(
        ended,
        seconds=_LONGEST_SECONDS,
        every=aws.poll_seconds,
        what=f"stack {stack_id} to end; it may still go on",
    )


def _new_events(aws: Aws, stack_id: str, token: str, reported: set[str]) -> Iterator[StackEventTypeDef]:
    """The operation's events that were not reported yet, oldest first."""
    unseen = []
    for page in aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        ours = [event for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
        unseen += [event for event in ours if event["EventId"] not in reported]
        if len(ours) < len(page["StackEvents"]):
            break  # newest first: what follows belongs to earlier operations
    reported.update(event["EventId"] for event in unseen)
    yield from reversed(unseen)


def _of_the_stack(event: StackEventTypeDef) -> bool:
    return event.get("PhysicalResourceId") == event["StackId"]
