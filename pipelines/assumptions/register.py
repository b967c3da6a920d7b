"""The register: every assumption, the weakest evidence first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.assumptions import cloudformation, identity, networking, outside_aws, promotion, workloads
from pipelines.assumptions.evidence import KINDS

if TYPE_CHECKING:
    from pipelines.assumptions.evidence import Assumption

BY_SUBJECT: Final[dict[str, tuple[Assumption, ...]]] = {
    "Networks": networking.ASSUMPTIONS,
    "MongoDB and Atlas": outside_aws.MONGODB,
    "CloudFormation": cloudformation.ASSUMPTIONS,
    "Pipelines": promotion.ASSUMPTIONS,
    "Roles": identity.ASSUMPTIONS,
    "Functions and the data API": workloads.FUNCTIONS,
    "Workflows": workloads.WORKFLOWS,
    "Alarms": workloads.ALARMS,
    "Stripe": outside_aws.STRIPE,
}


def weakest_first() -> list[tuple[str, Assumption]]:
    """Return every assumption with its subject: assumed ones, then documented, schema, recorded."""
    kinds = [kind.kind for kind in KINDS]
    entries = [(subject, entry) for subject, entries in BY_SUBJECT.items() for entry in entries]
    return sorted(entries, key=lambda each: kinds.index(each[1].evidence.kind))
