"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: What was looked at.
        where: On this machine, in `tools`, or in which environment.
        state: How it ended.
        says: What there is.
        remedy: What to do about it; nothing where all is well.
    """

    check: str
    where: str
    state: State
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding before it is known which check made it, and where."""

    state: State
    says: str
    remedy: str = ""


def well(says: str) -> Diagnosis:
    """Return that all is as it should be."""
    return Diagnosis(State.OK, says)


def failed(says: str, remedy: str) -> Diagnosis:
    """Return that something is wrong, and what to do."""
    return Diagnosis(State.FAILED, says, remedy)


def unknown(says: str, remedy: str) -> Diagnosis:
    """Return that the check could not be made, and what to do."""
    return Diagnosis(State.UNKNOWN, says, remedy)
