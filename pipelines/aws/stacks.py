"""Stacks: state, outputs and events; made and changed by change set, and deleted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from environments import groupings
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from types_boto3_cloudformation.literals import ChangeSetTypeType
    from types_boto3_cloudformation.type_defs import (
        ChangeTypeDef,
        DescribeChangeSetOutputTypeDef,
        StackEventTypeDef,
        StackResourceSummaryTypeDef,
        StackTypeDef,
    )

    from pipelines.aws.accounts import Aws

_CONSEQUENCE: Final = "Resource creation cancelled"
_LONGEST_SECONDS: Final = 3600
"""VPC functions may take most of an hour to give back their network interfaces on delete."""
_ONLY_DELETABLE: Final = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""A stack in these states takes no update, only a deletion (User Guide, Stack status codes)."""
_MAKING_SECONDS: Final = 600
_NO_CHANGE: Final = ("didn't contain changes", "No updates are to be performed")


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
        raise Refused(f"There is no stack {name} in {where}.", how_to_deploy(aws, name))
    return {output["OutputKey"]: output["OutputValue"] for output in described(aws, name).get("Outputs", [])}


def how_to_deploy(aws: Aws, stack: str) -> str:
    """Return the command that makes a missing stack: a release, where releases alone deploy."""
    environment = aws.environment.name
    at = f" --endpoint-url {aws.endpoint}" if aws.endpoint else ""
    if environment == "branch":
        return f"Push a branch: its pipeline makes the stack. payments pipeline status branch{at}"
    if environment in groupings.PROMOTED:
        return f"payments pipeline start release{at}"
    return f"payments deploy {environment} --stack {stack}"


def described(aws: Aws, name: str) -> StackTypeDef:
    """Return CloudFormation's description of a stack that exists."""
    return aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0]


def resources(aws: Aws, name: str) -> Iterator[StackResourceSummaryTypeDef]:
    """Yield the resources of a stack, told by its name or, where it may be deleted already, by its ARN."""
    for page in aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        yield from page["StackResourceSummaries"]


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


@dataclass(frozen=True, slots=True)
class StackRequest:
    """A stack as it should become.

    Attributes:
        name: The stack's name.
        template_url: Where CloudFormation reads the template, since a body over 51,200 bytes is refused; none
            keeps the template that the stack has.
        parameters: Its parameters by name.
        tags: Tags that the stack puts on everything in it.
    """

    name: str
    template_url: str | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


def deploy(aws: Aws, request: StackRequest, reporter: Reporter = NOBODY) -> str:
    """Create or update a stack through a change set, and wait until it is done.

    A stack whose creation failed is replaced; one that would not change is left alone.

    Returns:
        `created`, `updated` or `unchanged`.

    Raises:
        StackFailed: It could not be done; CloudFormation rolled back.
        Refused: Another operation on the stack is under way.
    """
    state = status(aws, request.name)
    if state in _ONLY_DELETABLE:
        reporter.say(f"{request.name} is in {state} from an earlier attempt: replacing it")
        delete(aws, request.name, reporter)
        state = None
    if state and state != "REVIEW_IN_PROGRESS" and state.endswith("_IN_PROGRESS"):
        under_way = f"Stack {request.name} is in {state}: another operation is under way."
        raise Refused(under_way, "Try again later.")
    kind: ChangeSetTypeType = "CREATE" if state in {None, "REVIEW_IN_PROGRESS"} else "UPDATE"
    change_set = _review(aws, request, kind, reporter)
    if change_set is None:
        reporter.say(f"{request.name}: nothing to change")
        return "unchanged"
    token = unique("execute")
    aws.cloudformation.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)
    follow(aws, described(aws, request.name)["StackId"], token, f"{kind}_COMPLETE", reporter)
    return "created" if kind == "CREATE" else "updated"


def _review(aws: Aws, request: StackRequest, kind: ChangeSetTypeType, reporter: Reporter) -> str | None:
    """Make the change set and wait until it can be executed; none when nothing would change."""
    kept: dict[str, Any] = {"UsePreviousTemplate": True}
    made = aws.cloudformation.create_change_set(
        StackName=request.name,
        ChangeSetName=unique("change"),
        ChangeSetType=kind,
        **(kept if request.template_url is None else {"TemplateURL": request.template_url}),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in request.parameters.items()],
        Tags=[{"Key": k, "Value": v} for k, v in request.tags.items()],
        Capabilities=["CAPABILITY_IAM"],
    )["Id"]
    reporter.passing(f"{request.name}: waiting for the change set")

    def complete() -> DescribeChangeSetOutputTypeDef | None:
        answer = aws.cloudformation.describe_change_set(ChangeSetName=made)
        return None if answer["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"} else answer

    change_set = wait_until(
        complete,
        seconds=_MAKING_SECONDS,
        every=aws.poll_seconds,
        what=f"the change set of {request.name} to be made",
    )
    if change_set["Status"] == "CREATE_COMPLETE":
        pages = aws.cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=made)
        reporter.say(f"{request.name}: {_summary([change for page in pages for change in page['Changes']])}")
        return made
    aws.cloudformation.delete_change_set(ChangeSetName=made)
    reason = change_set.get("StatusReason", change_set["Status"])
    if kind == "UPDATE" and any(words in reason for words in _NO_CHANGE):
        return None
    raise StackFailed(f"The change set for {request.name} was refused: {reason}")


def _summary(changes: Sequence[ChangeTypeDef]) -> str:
    resources = [change["ResourceChange"] for change in changes if "ResourceChange" in change]
    counts = {
        "to add": sum(change["Action"] == "Add" for change in resources),
        "to change": sum(change["Action"] == "Modify" for change in resources),
        "of them to replace": sum(change.get("Replacement") == "True" for change in resources),
        "to remove": sum(change["Action"] == "Remove" for change in resources),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "only tags or outputs"
