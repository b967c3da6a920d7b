"""IAM's verdict on what a service does with a role, where MiniStack does not ask.

Private names of MiniStack that it touches: `iam_evaluator._gather_role_policies`,
`iam_evaluator._permissions_boundary` and `iam._roles`.
"""

from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam


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
    policies = iam_evaluator._gather_role_policies(role, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, role, account)
    return bool(iam_evaluator.evaluate(asked, policies, *limits).decision == "Allow")
