"""Removes an environment, or the tools, whole: its stacks, and what outlives them on purpose.

What a stack will keep is read from its template, and what a deleted one kept from its events, which
CloudFormation remembers for 90 days (API reference, ListStacks and DescribeStackEvents). So it can be run
again after any failure, and after somebody deleted the stacks by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from environments import tools as tools_file
from pipelines.aws import accounts, stacks
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.deploy import artifacts
from pipelines.deploy.kept_resources import REMOVED, gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments.tools import Tools
    from pipelines.aws.accounts import Aws

_KEEPS: Final = {"Retain", "RetainExceptOnCreate"}
_TOOLS: Final = "tools"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is there, or that was.

    Attributes:
        name: Its name.
        identifier: Its ARN, by which a deleted one is still known.
        live: Whether it is there.
    """

    name: str
    identifier: str
    live: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource that outlives its stack.

    Attributes:
        kind: Its CloudFormation type.
        name: Its physical id.
        stack: The stack's name.
    """

    kind: str
    name: str
    stack: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What there is of an environment, or of the tools.

    Attributes:
        stacks: Those that are there, in the order in which they can be deleted.
        kept: What stays when they are gone, with what stayed of those that are gone already.
    """

    stacks: list[Stack]
    kept: list[Kept]


def find(aws: Aws, tools: Tools) -> Removal:
    """Return what there is of the environment whose account this is, or of the tools."""
    wanted = _names(aws, tools)
    matching = sorted(
        (stack for stack in _stacks(aws) if _place(stack, wanted) is not None),
        key=lambda stack: _place(stack, wanted) or 0,
    )
    kept = [resource for stack in matching for resource in _kept(aws, stack)]
    bucket = Kept("AWS::S3::Bucket", artifacts.template_bucket_name(aws), "")
    last = not [stack for stack in _stacks(aws) if stack.live and stack not in matching and _ours(aws, stack)]
    every = dict.fromkeys([*kept, *([bucket] if last else [])])
    order = list(REMOVED)
    return Removal(
        [stack for stack in matching if stack.live],
        sorted(
            (resource for resource in every if not gone(aws, resource.kind, resource.name)),
            key=lambda resource: order.index(resource.kind),
        ),
    )


def remove(aws: Aws, removal: Removal, reporter: Reporter = NOBODY) -> list[str]:
    """Delete the stacks, then what they kept, and return a sentence on each thing that stays nevertheless.

    Raises:
        StackFailed: A stack could not be deleted; what it keeps is untouched, and the next run goes on.
    """
    for stack in removal.stacks:
        reporter.passing(f"deleting {stack.name}")
        stacks.delete(aws, stack.name, reporter)
        reporter.say(f"{stack.name} is deleted")
    stays = []
    for resource in removal.kept:
        reporter.passing(f"removing {resource.kind} {resource.name}")
        reason = REMOVED[resource.kind].remove(aws, resource.name)
        if reason:
            stays.append(f"{resource.kind} {resource.name} stays: {reason}")
        else:
            reporter.say(f"{resource.kind} {resource.name} is removed")
    return stays


def _names(aws: Aws, tools: Tools) -> list[str]:
    """What the stacks' names look like, in the order in which they can be deleted."""
    environment = aws.environment
    if environment.name == _TOOLS:
        return [tools_file.PIPELINES_STACK, tools_file.PREVIEWS_STACK, tools_file.DOCS_STACK]
    return [environment.stack_pattern, environment.network_stack, tools.bootstrap_of(environment.name)]


def _place(stack: Stack, wanted: list[str]) -> int | None:
    return next((index for index, name in enumerate(wanted) if fnmatchcase(stack.name, name)), None)


def _stacks(aws: Aws) -> Iterator[Stack]:
    for page in aws.cloudformation.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            live = stack["StackStatus"] != "DELETE_COMPLETE"
            yield Stack(stack["StackName"], stack["StackId"], live)


def _ours(aws: Aws, stack: Stack) -> bool:
    tags = stacks.described(aws, stack.identifier).get("Tags", [])
    return {"Key": "system", "Value": "payments"} in tags


def _kept(aws: Aws, stack: Stack) -> Iterator[Kept]:
    """Yield what a stack will keep, or did keep, of all that we know how to remove."""
    for kind, name in _to_be_kept(aws, stack) if stack.live else _skipped(aws, stack):
        if kind in REMOVED and name:
            yield Kept(kind, name, stack.name)


def _to_be_kept(aws: Aws, stack: Stack) -> Iterator[tuple[str, str]]:
    template: Any = aws.cloudformation.get_template(StackName=stack.identifier)["TemplateBody"]
    keeping = {
        name for name, part in template.get("Resources", {}).items() if part.get("DeletionPolicy") in _KEEPS
    }
    for part in stacks.resources(aws, stack.identifier):
        if part["LogicalResourceId"] in keeping:
            yield part["ResourceType"], part.get("PhysicalResourceId", "")


def _skipped(aws: Aws, stack: Stack) -> Iterator[tuple[str, str]]:
    pages = aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.identifier)
    try:
        for event in (event for page in pages for event in page["StackEvents"]):
            if event.get("ResourceStatus") == "DELETE_SKIPPED":
                yield event.get("ResourceType", ""), event.get("PhysicalResourceId", "")
    except ClientError as error:
        if "does not exist" not in str(error):  # it does not once it was deleted 90 days ago
            raise


def connect(name: str, tools: Tools, endpoint_url: str | None) -> Aws:
    """Return the account of an environment, or that of the tools."""
    if name == _TOOLS:
        return accounts.connect_tools(endpoint_url, tools)
    return accounts.connect(name, endpoint_url)
