"""What the linters find, and how much it weighs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """AWS refuses it, or fails when it runs."""
    WARNING = "warning"
    """It is probably wrong, but what would tell for certain is not in the file."""
    ADVICE = "advice"
    """AWS takes it; a release would be safer without it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as the docs list it.

    Attributes:
        finds: What it finds, in a few words; `code` in backticks.
        fix: What to do about it; a finding says it of its own place.
        level: How much its findings weigh at most.
    """

    finds: str
    fix: str
    level: Level = Level.ERROR


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        file: The file it is in, or a template's label.
        place: The pipeline, with the stage and the action or rule in it; or a template's path.
        rule: The rule's id, as `P201`.
        problem: What is wrong, in a sentence without a full stop.
        fix: What to do about it; empty where the problem says it.
        level: How much it weighs.
    """

    file: str
    place: str
    rule: str
    problem: str
    fix: str = ""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        """Return it as one line; what is no error says so."""
        weight = "" if self.level is Level.ERROR else f" ({self.level})"
        fix = f" {self.fix}." if self.fix else ""
        return f"{self.file}: {self.place}: {self.rule}{weight} {self.problem}{'.' if fix else ''}{fix}"


class Unreadable(ValueError):  # noqa: N818 - reads as what happened, as the house's other errors do
    """A file that was to be linted is neither a template nor a pipeline."""
