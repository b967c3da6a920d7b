"""How long a state machine can take at worst, and how long it surely keeps trying, from its definition.

Worst: every attempt takes its whole time-out, every retry is used up, and jitter waits as long as it may. A
retrier counts its own attempts (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html),
so those of all retriers of a state add up. Waiting for a bank is counted apart: it takes weeks, and only
happens where an environment pays by bank account.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any, Final

from payment_data.error_names import PENDING_ERRORS
from templates.definitions.payment_workflow import CHARGE, DELIVER, PARKED, REFUND, RESERVE, definition
from templates.definitions.tasks import DEADLINE_SECONDS, State

FORWARD: Final = (RESERVE, CHARGE, DELIVER)
MOST_SECONDS: Final = 365 * 86_400
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: a standard execution's year."""
MOST_EVENTS: Final = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: entries of its history."""
EARLIEST: Final = 0.01
"""The share of executions that may give up sooner than is promised, if every attempt fails at once."""
_DRAWS: Final = 20_000
_EVENTS_OF_AN_ATTEMPT: Final = 3  # TaskScheduled, TaskStarted, and how it ended
_EVENTS_OF_A_STATE: Final = 2  # entered and exited


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst case of a state or of a whole path; `waiting` is what a bank adds to it."""

    seconds: float = 0
    attempts: int = 0
    waiting_seconds: float = 0
    waiting_attempts: int = 0
    states: int = 0

    def __add__(self, other: Worst) -> Worst:
        """Return the worst case of one after the other."""
        both = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return Worst(*(mine + others for mine, others in both))

    @property
    def events(self) -> int:
        """Entries it leaves in the execution's history."""
        return (
            self.states * _EVENTS_OF_A_STATE + (self.attempts + self.waiting_attempts) * _EVENTS_OF_AN_ATTEMPT
        )


def worst_of_state(state: State) -> Worst:
    """Return the worst case of one state."""
    if state["Type"] != "Task":
        return Worst(states=1)
    limit = state["TimeoutSeconds"]
    total = Worst(limit, 1, states=1)
    for retry in state.get("Retry", []):
        attempts, seconds = retry["MaxAttempts"], sum(_waits(retry)) + retry["MaxAttempts"] * limit
        bank = set(retry["ErrorEquals"]) <= set(PENDING_ERRORS)
        total += Worst(0, 0, seconds, attempts) if bank else Worst(seconds, attempts)
    return total


def _waits(retry: State) -> list[float]:
    """Return the seconds before each retry; full jitter waits at most so long."""
    return [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]


def sure_seconds(retry: State, share: float = EARLIEST, *, seed: int = 1) -> float:
    """Return for how long a retrier goes on trying in all but a `share` of the executions.

    Simulated: each wait is drawn as full jitter draws it, between nothing and the back-off, and an attempt
        takes no time, as when a connection is refused.

    Args:
        retry: a Retry entry.
        share: of the executions, those that give up first.
        seed: of the draws, so that the same definition has the same figure.
    """
    source, waits = random.Random(seed), _waits(retry)  # noqa: S311 - a simulation
    jitter = retry.get("JitterStrategy") == "FULL"
    totals = sorted(sum(source.uniform(0, wait) if jitter else wait for wait in waits) for _ in range(_DRAWS))
    return totals[int(share * _DRAWS)]


def worst_paths(states: State, start: str, passed: tuple[str, ...] = ()) -> Worst:
    """Return the worst case from a state on, until the execution ends or stops for a person.

    A state is passed once: only a payment of another execution leads from the last state back to a refund.
    """
    state = states[start]
    onward = [] if start == PARKED else [name for name in _following(state) if name not in passed]
    rest = [worst_paths(states, name, (*passed, start)) for name in onward]
    longest = max(rest, key=lambda worst: worst.seconds + worst.waiting_seconds, default=Worst())
    return worst_of_state(state) + longest


def _following(state: State) -> list[str]:
    branches = [*state.get("Catch", []), *state.get("Choices", []), state]
    return [name for branch in branches for key in ("Next", "Default") if (name := branch.get(key))]


def figures() -> dict[str, Any]:
    """Return the payment workflow's worst cases, for the docs: seconds, attempts and history entries.

    Returns:
        {states: {name: case}, forward, execution, …_seconds, most_events}; a case is `Worst` as a dict.
    """
    workflow = definition()
    states = workflow["States"]
    worst = {name: worst_of_state(state) for name, state in states.items() if state["Type"] == "Task"}
    forward = sum((worst[name] for name in FORWARD), start=Worst())
    execution = worst_paths(states, workflow["StartAt"])
    return {
        "states": {name: asdict(case) for name, case in worst.items()},
        "forward": asdict(forward),
        "execution": asdict(execution) | {"events": execution.events},
        "forward_sure_seconds": sure_seconds(states[RESERVE]["Retry"][0]),
        "undo_sure_seconds": sure_seconds(states[REFUND]["Retry"][0]),
        "deadline_seconds": DEADLINE_SECONDS,
        "most_seconds": MOST_SECONDS,
        "most_events": MOST_EVENTS,
    }
