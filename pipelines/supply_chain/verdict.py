"""What a check says: that all is well, what is not, or that it could not look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class CannotCheck(Exception):  # noqa: N818 - reads as what happened
    """A check could not look; the message says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one check.

    Attributes:
        outcome: How it ended.
        said: What was looked at, or why nothing could be, in a sentence.
        findings: What is wrong, a line each, sorted.
        details: Everything else that its report holds, for machines.
    """

    outcome: Outcome
    said: str
    findings: tuple[str, ...] = ()
    details: Any = None


def judged(said: str, findings: Iterable[str], details: Any = None) -> Verdict:
    """A verdict after a look: passed when there is nothing to find."""
    found = tuple(sorted(set(findings)))
    return Verdict(Outcome.FAILED if found else Outcome.PASSED, said, found, details)
