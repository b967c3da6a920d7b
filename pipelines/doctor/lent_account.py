"""An account that is lent for experiments: what they make there, under names of their own, is removed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.core.waiting import wait_until

if TYPE_CHECKING:
    from contextlib import ExitStack

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
PREFIX: Final = "payments-prove-"
"""What the names of everything begin with that an experiment makes."""
_SECONDS: Final = 600


class LentAccount:
    """An account for experiments, and how what they made is removed."""

    def __init__(self, aws: Aws, undo: ExitStack) -> None:
        """Use an account until `undo` is closed."""
        self.aws = aws
        self.undo = undo

    def name(self) -> str:
        """Return a name that nothing else has."""
        return f"{PREFIX}{uuid.uuid4().hex[:12]}"

    def stack(self, resources: Json) -> str:
        """Create a stack, wait until it has ended, however, and return its name."""
        name = self.name()
        self.aws.cloudformation.create_stack(
            StackName=name, TemplateBody=template(resources), Capabilities=["CAPABILITY_IAM"]
        )
        self.undo.callback(self._delete, name)
        self._ended(name)
        return name

    def change_set(self, stack: str, resources: Json, **parameters: str) -> str:
        """Make a change set of a stack and return its id, once it is made or was refused."""
        cloudformation = self.aws.cloudformation
        made: str = cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=self.name(),
            TemplateBody=template(resources),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )["Id"]
        wait_until(
            lambda: (
                cloudformation.describe_change_set(ChangeSetName=made)["Status"]
                in {"CREATE_COMPLETE", "FAILED"}
            ),
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what="a change set to be made",
        )
        return made

    def execute(self, stack: str, change_set: str) -> None:
        """Execute a change set and wait until its stack has changed."""
        before = stacks.described(self.aws, stack).get("LastUpdatedTime")
        self.aws.cloudformation.execute_change_set(ChangeSetName=change_set)
        wait_until(
            lambda: stacks.described(self.aws, stack).get("LastUpdatedTime") != before,
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to change",
        )
        self._ended(stack)

    def physical_ids(self, stack: str) -> dict[str, str]:
        """Return the physical ids of a stack's resources by their logical ids."""
        return {
            resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
            for resource in stacks.resources(self.aws, stack)
        }

    def _ended(self, stack: str) -> None:
        wait_until(
            lambda: not str(stacks.status(self.aws, stack)).endswith("_IN_PROGRESS"),
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to end",
        )

    def _delete(self, stack: str) -> None:
        self.aws.cloudformation.delete_stack(StackName=stack)
        wait_until(
            lambda: stacks.status(self.aws, stack) in {None, "DELETE_COMPLETE"},
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to be deleted",
        )


def template(resources: Json) -> str:
    """Return a template of these resources as CloudFormation takes it in a request."""
    return json.dumps({"Resources": resources})


def left_behind(aws: Aws) -> list[str]:
    """Return what is there of experiments: stacks, log groups and policies by their names."""
    deleted = "DELETE_COMPLETE"
    found = [
        stack["StackName"]
        for page in aws.cloudformation.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if stack["StackStatus"] != deleted
    ]
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    found += [group["logGroupName"] for page in pages for group in page["logGroups"]]
    policies = aws.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    found += [policy["PolicyName"] for page in policies for policy in page["Policies"]]
    return sorted(name for name in found if name.startswith(PREFIX))


def must_be_lent(aws: Aws) -> None:
    """Refuse an account where something of ours is deployed.

    Raises:
        Refused: It has one of our stacks.
    """
    ours = [
        stack["StackName"]
        for page in aws.cloudformation.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if stack["StackName"].startswith(("payments-", "branch-"))
        and not stack["StackName"].startswith(PREFIX)
    ]
    if ours:
        raise Refused(
            f"Account {aws.environment.account} has stacks of ours: {', '.join(sorted(ours)[:3])}.",
            "Prove on an account that is lent for it and holds nothing else.",
        )
