"""Records what roles do: IAM's own verdict, and the statements that it rests on.

MiniStack asks `iam_evaluator.evaluate` about every signed request, and our services ask it about what
MiniStack does not enforce; we stand in between.
"""

import fnmatch
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from embedded_aws.iam import call_log
from embedded_aws.iam.call_log import Call

_Evaluate = Callable[..., Any]
_noting = threading.Lock()
_of_a_resource = ContextVar("of_a_resource", default=False)


def install() -> None:
    """Stand before the evaluation of policies; a kept instance goes on with the record that it has."""
    state = Path(os.environ["STATE_DIR"])
    state.mkdir(parents=True, exist_ok=True)
    recorded = {call.kind for call in call_log.read_state(state)}
    iam_evaluator.evaluate = _recording(iam_evaluator.evaluate, state, recorded)
    iam_evaluator.evaluate_resource_policy = _unrecorded(iam_evaluator.evaluate_resource_policy)


def _unrecorded(stock: _Evaluate) -> _Evaluate:
    """What a resource's own policy says is no verdict on what a role may; MiniStack asks it the same way."""

    def evaluate(*arguments: Any, **named: Any) -> Any:
        token = _of_a_resource.set(True)
        try:
            return stock(*arguments, **named)
        finally:
            _of_a_resource.reset(token)

    return evaluate


def _recording(stock: _Evaluate, state: Path, recorded: set[tuple[object, ...]]) -> _Evaluate:
    def evaluate(context: Any, policies: Any, *limits: Any) -> Any:
        result = stock(context, policies, *limits)
        if ":assumed-role/" in context.principal_arn and not _of_a_resource.get():
            allowing = list(_allowing(stock, context, policies))
            call = _call(context, allowing, allowed=result.decision == "Allow")
            with _noting:
                if call.kind not in recorded:
                    recorded.add(call.kind)
                    call_log.note(state, call)
        return result

    return evaluate


def _call(context: Any, allowing: list[Any], *, allowed: bool) -> Call:
    patterns = {
        pattern
        for statement in allowing
        for pattern in statement.resources
        if fnmatch.fnmatchcase(context.resource_arn, pattern.replace("[", "[[]"))
    }
    return Call(
        context.principal_account,
        context.principal_arn.split("/")[1],
        context.action,
        context.resource_arn,
        allowed,
        tuple(sorted({statement.sid for statement in allowing})),
        tuple(sorted(patterns)),
    )


def _allowing(evaluate: _Evaluate, context: Any, policies: Any) -> Iterator[Any]:
    """Yield the statements that would allow it by themselves."""
    for policy in policies:
        for statement in policy:
            if evaluate(context, [[statement]]).decision == "Allow":
                yield statement
