"""Rules, and what they find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as the docs list it.

    Attributes:
        finds: What it finds, in a few words; `code` in backticks.
        mend: What to do about it; a finding says it of its own place.
    """

    finds: str
    mend: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        file: The file it is in.
        place: The pipeline, and where it applies the stage and the action or rule in it.
        rule: The rule's id, as `P201`.
        problem: What is wrong, in a sentence without a full stop.
        mend: What to do about it.
    """

    file: str
    place: str
    rule: str
    problem: str
    mend: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.file}: {self.place}: {self.rule} {self.problem}. {self.mend}."


class Unreadable(ValueError):  # noqa: N818 - reads as what happened, as the house's other errors do
    """A file that was to be linted is neither a template nor a pipeline."""
