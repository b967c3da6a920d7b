"""An account that is lent for experiments: what they make there, under names of their own, is removed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.core.waiting import wait_until
from pipelines.deploy import kept_resources

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime

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

    def stack(self, resources: Json, *, outputs: Json | None = None) -> str:
        """Create a stack, wait until it has ended, however, and return its name."""
        name = self.name()
        self.aws.cloudformation.create_stack(
            StackName=name, TemplateBody=template(resources, outputs), Capabilities=["CAPABILITY_IAM"]
        )
        self.undo.callback(self.delete_stack, name)
        self._ended(name)
        return name

    def updated(self, stack: str, resources: Json, *, outputs: Json) -> str:
        """Update a stack and wait until that has ended.

        Returns:
            Why it was refused or went back; nothing when it succeeded.
        """
        body, before = template(resources, outputs), self._updated_at(stack)
        try:
            self.aws.cloudformation.update_stack(StackName=stack, TemplateBody=body)
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        self._changed(stack, before)
        described = stacks.described(self.aws, stack)
        if described["StackStatus"] == "UPDATE_COMPLETE":
            return ""
        return str(described.get("StackStatusReason") or described["StackStatus"])

    def log_groups(self, stack: str) -> list[str]:
        """Return the log groups that a stack made and that are there, to be removed."""
        pages = self.aws.client("logs").get_paginator("describe_log_groups")
        names = [
            group["logGroupName"]
            for page in pages.paginate(logGroupNamePrefix=stack)
            for group in page["logGroups"]
        ]
        for name in names:
            self.undo.callback(self.aws.client("logs").delete_log_group, logGroupName=name)
        return names

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
        before = self._updated_at(stack)
        self.aws.cloudformation.execute_change_set(ChangeSetName=change_set)
        self._changed(stack, before)

    def why(self, stack: str) -> str:
        """Return why the creation of a stack failed; nothing when it did not."""
        pages = self.aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        reasons = [
            event.get("ResourceStatusReason", "")
            for page in pages
            for event in page["StackEvents"]
            if event.get("ResourceStatus") == "CREATE_FAILED"
        ]
        return str(reasons[-1]) if reasons else ""

    def ended_execution(self, machine: str, name: str = "") -> Json:
        """Start an execution of a state machine, or take that of a name, and wait until it has ended.

        Returns:
            {status, output, error, cause} and more, as DescribeExecution answers it.
        """
        client = self.aws.stepfunctions
        if name:
            arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        else:
            arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        wait_until(
            lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING",
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what="an execution to end",
        )
        return dict(client.describe_execution(executionArn=arn))

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role of the account, told by its name."""
        return f"arn:aws:iam::{self.aws.environment.account}:role/{name}"

    def empty_bucket(self, name: str) -> None:
        """Delete every version of every object of a bucket."""
        kept_resources.empty_bucket(self.aws, name)

    def physical_ids(self, stack: str) -> dict[str, str]:
        """Return the physical ids of a stack's resources by their logical ids."""
        return {
            resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
            for resource in stacks.resources(self.aws, stack)
        }

    def _updated_at(self, stack: str) -> datetime | None:
        return stacks.described(self.aws, stack).get("LastUpdatedTime")

    def _changed(self, stack: str, before: datetime | None) -> None:
        wait_until(
            lambda: self._updated_at(stack) != before,
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to change",
        )
        self._ended(stack)

    def _ended(self, stack: str) -> None:
        wait_until(
            lambda: not str(stacks.status(self.aws, stack)).endswith("_IN_PROGRESS"),
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to end",
        )

    def delete_stack(self, stack: str) -> None:
        """Delete a stack, whether or not it is there, and wait until it is gone."""
        self.aws.cloudformation.delete_stack(StackName=stack)
        wait_until(
            lambda: stacks.status(self.aws, stack) in {None, "DELETE_COMPLETE"},
            seconds=_SECONDS,
            every=self.aws.poll_seconds,
            what=f"stack {stack} to be deleted",
        )


def template(resources: Json, outputs: Json | None = None) -> str:
    """Return a template of these resources as CloudFormation takes it in a request."""
    return json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})


def left_behind(aws: Aws) -> list[str]:
    """Return what is there of experiments: stacks, pipelines, log groups and policies by their names."""
    names = _stacks(aws)
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    names += [group["logGroupName"] for page in pages for group in page["logGroups"]]
    policies = aws.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    names += [policy["PolicyName"] for page in policies for policy in page["Policies"]]
    listed = aws.client("codepipeline").get_paginator("list_pipelines").paginate()
    names += [pipeline["name"] for page in listed for pipeline in page["pipelines"]]
    return sorted(name for name in names if name.startswith(PREFIX))


def stacks_of_ours(aws: Aws) -> list[str]:
    """Return the stacks of an account that are this system's, and no experiment's."""
    return sorted(
        name
        for name in _stacks(aws)
        if name.startswith(("payments-", "branch-")) and not name.startswith(PREFIX)
    )


def _stacks(aws: Aws) -> list[str]:
    """Return the names of an account's stacks that are not deleted."""
    pages = aws.cloudformation.get_paginator("describe_stacks").paginate()
    stacks_there = (stack for page in pages for stack in page["Stacks"])
    return [stack["StackName"] for stack in stacks_there if stack["StackStatus"] != "DELETE_COMPLETE"]


def must_be_lent(aws: Aws) -> None:
    """Refuse an account where something of ours is deployed.

    Raises:
        Refused: It has one of our stacks.
    """
    if ours := stacks_of_ours(aws):
        raise Refused(
            f"Account {aws.environment.account} has stacks of ours: {', '.join(ours[:3])}.",
            "Prove on an account that is lent for it and holds nothing else.",
        )
