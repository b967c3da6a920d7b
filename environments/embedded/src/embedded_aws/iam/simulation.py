"""IAM's verdict on what a service does with a role, where MiniStack does not ask.

A role that CloudFormation makes is held by its permissions boundary, which MiniStack's forgets.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator

from embedded_aws.core import ministack_names as private
from embedded_aws.core import type_table


@dataclass(frozen=True, slots=True)
class Question:
    """May this be done to that? The context holds condition keys in lower case."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


def session(account: str, role: str, name: str) -> str:
    """The ARN of a role that was taken on under a name."""
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def allows(account: str, role: str, taken_on_as: str, question: Question, region: str) -> bool:
    """Whether a role's policies and its boundary allow it.

    Args:
        account: The role's account.
        role: Its name.
        taken_on_as: The session's name.
        question: What it is about to do.
        region: Where.
    """
    asked = iam_evaluator.EvalContext(
        principal_arn=session(account, role, taken_on_as),
        principal_type="AssumedRole",
        principal_account=account,
        action=question.action,
        resource_arn=question.resource,
        region=region,
        service_context=question.context,
    )
    policies = private.iam_evaluator.gather_role_policies(role, account)
    limits = private.iam_evaluator.permissions_boundary(private.iam.roles, role, account)
    return bool(iam_evaluator.evaluate(asked, policies, *limits).decision == "Allow")


def install() -> None:
    """Keep the permissions boundary of roles that the type's own handlers create and update."""
    role = type_table.stock_handlers("AWS::IAM::Role")
    role["create"], role["update"] = _bounding_new(role["create"]), _bounding(role["update"])


def _bounding_new(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        made = stock(logical_id, props, stack)
        private.iam.roles[made[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return made

    return create


def _bounding(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        changed = stock(physical_id, old, new, *rest)
        private.iam.roles[changed[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return changed

    return update
