"""What a deployed role may do, one action of one statement at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.aws import stacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.aws.accounts import Aws


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement of a deployed role.

    Attributes:
        account: The role's account.
        role: Its name.
        title: Its logical id in the stack.
        service: Who takes it on, as `lambda`; `account` for a role that an account's roles take on.
        sid: The statement.
        actions: What it allows.
        resources: On what.
    """

    account: str
    role: str
    title: str
    service: str
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def of_stack(aws: Aws, stack: str) -> list[Grant]:
    """Every statement that allows something, of every role of a stack.

    Statements are told apart by their `Sid`; a role with two of one name would hide one of them.
    """
    return [
        grant
        for resource in stacks.resources(aws, stack)
        if resource["ResourceType"] == "AWS::IAM::Role"
        for grant in _of_role(aws, resource["PhysicalResourceId"], resource["LogicalResourceId"])
    ]


def _of_role(aws: Aws, name: str, title: str) -> Iterator[Grant]:
    iam = aws.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    service = _taken_on_by(role["AssumeRolePolicyDocument"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for statement in _list(document["Statement"]):
            if statement["Effect"] == "Allow":
                yield Grant(
                    aws.environment.account,
                    name,
                    title,
                    service,
                    statement["Sid"],
                    tuple(_list(statement["Action"])),
                    tuple(_list(statement["Resource"])),
                )


def _taken_on_by(trust: dict[str, Any]) -> str:
    (statement,) = _list(trust["Statement"])
    principal = statement["Principal"]
    return str(principal["Service"]).partition(".")[0] if "Service" in principal else "account"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
