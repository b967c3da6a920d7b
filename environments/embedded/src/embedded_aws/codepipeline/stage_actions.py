"""What the stage rules may ask for: they decide over this protocol and touch nothing else."""

from typing import Protocol

from embedded_aws.core.api import Json


class StageActions(Protocol):
    """Everything outside an execution that the rules read or begin."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        ...

    def entry_number(self) -> int:
        """Return a number that grows with every entry into a stage."""
        ...

    def other_executions(self, execution: Json) -> list[Json]:
        """Return the pipeline's other executions, oldest first."""
        ...

    def action_runs(self, execution: Json, run: Json) -> list[Json]:
        """Return the latest record of each action that a stage's run has begun."""
        ...

    def transition_enabled(self, execution: Json, stage: str) -> bool:
        """Tell whether the transition into a stage is enabled."""
        ...

    def keep(self, execution: Json) -> None:
        """Write an execution's record."""
        ...

    def start_action(self, execution: Json, stage: str, declaration: Json) -> str:
        """Begin an action; return the id of its execution."""
        ...

    def check_condition(self, execution: Json, kind: str) -> None:
        """Begin to check the rules of one of the current stage's conditions."""
        ...

    def start_rollback(self, target: Json, replaced: Json, trigger: str, detail: str) -> None:
        """Start an execution that takes the stage of `replaced` back to what `target` made of it."""
        ...
