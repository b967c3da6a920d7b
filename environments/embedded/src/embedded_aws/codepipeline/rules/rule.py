"""One rule at work."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from embedded_aws.codepipeline import executions
from embedded_aws.codepipeline.actions.action import Abandoned
from embedded_aws.codepipeline.records import Execution, Location
from embedded_aws.core import background, runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_T = TypeVar("_T")
_POLL_SECONDS = 0.15


class RuleFailed(Exception):  # noqa: N818 - it says what happened
    """The rule does not hold; the message says why."""


def _rules(declared: Json | None) -> list[str]:
    """Return the names of the rules of a stage's declared conditions."""
    return [rule["name"] for part in (declared or {}).get("conditions", []) for rule in part["rules"]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule's provider works with.

    Attributes:
        configuration: with all variables resolved.
        session: the rule's role, or the pipeline's.
        artifacts: unpacks an input artifact.
    """

    scope: Scope
    execution: Execution
    declaration: Json
    identifier: str
    configuration: dict[str, str]
    session: role_sessions.RoleSession
    folder: Path
    artifacts: Callable[[str], Path]

    def location(self, name: str) -> Location:
        """Return where an input artifact is in S3.

        Raises:
            RuleFailed: This execution made no such artifact.
        """
        try:
            return self.execution["artifacts"][name]
        except KeyError:
            raise RuleFailed(f"Input artifact {name} was not made in this execution.") from None

    def wait(self, minutes: float, ready: Callable[[], _T | None] = lambda: None) -> _T | None:
        """Ask until there is an answer or the time is over; then there is none.

        Raises:
            Abandoned: the execution is being stopped, or the process is, or the condition was overridden.
        """
        seconds = runtime.current().seconds(minutes)
        try:
            return background.wait_for(ready, seconds=seconds, every=_POLL_SECONDS, pause=self._pause)
        except background.Interrupted:
            raise Abandoned from None

    def _pause(self, seconds: float) -> bool:
        if runtime.current().stopping.wait(seconds):
            return True
        current = executions.find(*executions.key(self.execution))
        return current is None or current["status"] != "InProgress" or self._overridden(current)

    def _overridden(self, execution: Execution) -> bool:
        """Whether somebody overrode the condition that this rule is part of."""
        conditions = executions.run_of(execution, executions.stage_of(self.execution)["name"])["conditions"]
        return any(
            state["status"] == "Overridden"
            and self.declaration["name"] in _rules(executions.stage_of(self.execution).get(kind))
            for kind, state in conditions.items()
        )

    def clean_up(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
