"""Retry and Catch as documented: caps, jitter, and what States.ALL does not match.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random
from collections.abc import Callable
from typing import Any

from embedded_aws.stepfunctions import evaluation, path_evaluation, records, states

_TERMINAL = {"States.Runtime"}


def backoff_seconds(retrier: dict[str, Any], count: int) -> float:
    """Return the seconds before retry number `count` (from 0) of a Retry entry, jitter included."""
    seconds = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** count
    seconds = min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
    return random.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds  # noqa: S311 - jitter


class Retries:
    """How often a state was retried, and how long to wait before the next time."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._retriers = state.get("Retry", [])
        self._counts: dict[int, int] = {}

    @property
    def total(self) -> int:
        """All retries so far: the context's `State.RetryCount`."""
        return sum(self._counts.values())

    def wait(self, error: str | None) -> bool:
        """Wait as the matching retrier says, scaled by SFN_WAIT_SCALE; False when there is no retry left."""
        for index, retrier in enumerate(self._retriers):
            if not matches(retrier["ErrorEquals"], error):
                continue
            count = self._counts.get(index, 0)
            if count >= retrier.get("MaxAttempts", 3):
                return False
            self._counts[index] = count + 1
            states.sleep(backoff_seconds(retrier, count))
            return True
        return False


def matches(names: list[str], error: str | None) -> bool:
    """Tell whether an ErrorEquals list matches an error name."""
    if error in _TERMINAL:
        return False
    if error in names:
        return True
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def caught(state: dict[str, Any], value: Any, ctx: dict[str, Any], error: Any) -> tuple[Any, str]:
    """Return the output and the next state of the catcher that matches, or raise the error again.

    Raises:
        ExecutionError: No catcher names it; the very one that was given.
    """
    catchers = (each for each in state.get("Catch", []) if matches(each["ErrorEquals"], error.error))
    catcher = next(catchers, None)
    if catcher is None:
        raise error
    caught_error = {"Error": error.error or "", "Cause": error.cause or ""}
    if evaluation.is_jsonata(state, ctx):
        output = evaluation.output(catcher, value, ctx, error_output=caught_error, default=caught_error)
        evaluation.assign(catcher, value, ctx, error_output=caught_error)
    else:  # a catcher's `$` is the error
        path_evaluation.assign(catcher, caught_error, ctx)
        output = path_evaluation.placed(catcher, value, caught_error)
    return output, catcher["Next"]


def retried(
    state: dict[str, Any], value: Any, ctx: dict[str, Any], attempt: Callable[[], Any]
) -> tuple[Any, str | None]:
    """Run a Parallel or Map state under its Retry and Catch; returns its output and the next state."""
    entered, retries = ctx["State"], Retries(state)
    while True:
        ctx["State"] = {**entered, "RetryCount": retries.total}
        try:
            return attempt(), state.get("Next")
        except records.Error as error:
            if not retries.wait(error.error):
                place = evaluation.current()
                if place is not None and not error.before_items:
                    records.add_event(place.execution, f"{state['Type']}StateFailed")
                return caught(state, value, ctx, error)
