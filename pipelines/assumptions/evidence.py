"""What an assumption is, and the kinds of evidence for one, from the weakest to the strongest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Assumed:
    """Nobody says so: what follows from everything else that was found.

    Attributes:
        searched: The pages that could have said it and do not.
        otherwise: What the system does if it is wrong.
    """

    kind: ClassVar[str] = "assumed"
    searched: tuple[str, ...]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Documented:
    """The provider says so, on a page of its documentation."""

    kind: ClassVar[str] = "documented"
    page: str


@dataclass(frozen=True, slots=True)
class Schema:
    """CloudFormation's schema of the resource type says so.

    Attributes:
        resource_type: The type, as `AWS::EC2::Subnet`.
        says: That a property can only be set at creation, that there is one, or that there is none.
        name: The property's name.
    """

    kind: ClassVar[str] = "schema"
    resource_type: str
    says: Literal["create-only", "has", "lacks"]
    name: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The service itself said so: an answer or a measurement of it that was published.

    Attributes:
        page: Where it was published.
        when: Its month, as `2024-03`.
    """

    kind: ClassVar[str] = "recorded"
    page: str
    when: str


Evidence = Assumed | Documented | Schema | Recorded
KINDS = (Assumed, Documented, Schema, Recorded)
"""From the weakest to the strongest."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One belief that the system leans on.

    Attributes:
        name: What it is called, in words with dashes; unique.
        claim: One sentence that is either true or false.
        used: The files that lean on it, from the repository's root.
        evidence: Why it is believed.
        proof: How to see on a real account whether it is true.
    """

    name: str
    claim: str
    used: tuple[str, ...]
    evidence: Evidence
    proof: str
