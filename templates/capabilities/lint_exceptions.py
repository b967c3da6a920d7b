"""Exceptions from a linter's rule, each with its reason beside the resource that needs it.

cfn-lint and checkov read them from the resource's Metadata; `payments lint` and `payments audit templates`
refuse one without a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troposphere import AWSObject


@dataclass(frozen=True, slots=True)
class Except:
    """One rule that does not hold for a resource, and why.

    Attributes:
        rule: As `E9009` (cfn-lint and our own) or `CKV_AWS_116` (checkov).
        reason: For the security reviewer; a sentence.
    """

    rule: str
    reason: str


STATED_SECRET = Except(
    "E9009", "The secret is the environment's; its owner made it, and names it in the environment's file."
)


def excepted(*exceptions: Except) -> dict[str, Any]:
    """The exceptions as a resource's Metadata.

    Source: cfn-lint, "Metadata"; checkov, "Suppressing and Skipping Policies", CloudFormation metadata.
    """
    skipped = [entry for entry in exceptions if entry.rule.startswith("CKV")]
    ignored = [entry for entry in exceptions if not entry.rule.startswith("CKV")]
    metadata: dict[str, Any] = {}
    if skipped:
        metadata["checkov"] = {"skip": [{"id": entry.rule, "comment": entry.reason} for entry in skipped]}
    if ignored:
        metadata["cfn-lint"] = {
            "config": {"ignore_checks": [entry.rule for entry in ignored]},
            "reasons": {entry.rule: entry.reason for entry in ignored},
        }
    return metadata


def describe(resource: AWSObject, metadata: Mapping[str, Any]) -> None:
    """Add to a resource's Metadata, keeping what is there."""
    resource.resource["Metadata"] = {**resource.resource.get("Metadata", {}), **metadata}
