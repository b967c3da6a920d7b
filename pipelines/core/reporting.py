"""How long work tells what it is doing, without knowing who listens."""

from typing import Protocol


class Reporter(Protocol):
    """Whoever watches: a terminal, a log, or nobody."""

    def say(self, line: str) -> None:
        """Tell something worth keeping on the screen."""
        ...

    def passing(self, line: str) -> None:
        """Tell what is going on right now; the next line may take its place."""
        ...


class Nobody:
    """A reporter for callers that only want the result."""

    def say(self, line: str) -> None:
        """Tell nobody."""

    def passing(self, line: str) -> None:
        """Tell nobody."""


NOBODY = Nobody()
