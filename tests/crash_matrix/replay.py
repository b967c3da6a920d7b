"""Invocations that are not run again: the same event, documents, gateway and time, and the same goes wrong.

A step's function keeps nothing from one invocation to the next that its answer depends on, so what it answers
and what it leaves follow from these. It runs nonetheless where something is or will be held back, where it is
overtaken, and where two executions take turns. `test_memory.py` runs cells both ways.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.crash_matrix.executor import TaskFailed
from tests.crash_matrix.faults import AT_ONCE, Fault, Site
from tests.crash_matrix.injector import Injector
from tests.crash_matrix.memory import Memory
from tests.crash_matrix.stripe_double import StripeDouble


class _Past(NamedTuple):
    """What came of an invocation: its answer or error, what it left, which sites it reached, what struck."""

    answer: str
    failure: TaskFailed | None
    contents: dict[str, bytes]
    stripe: bytes
    sites: list[Site]
    struck: list[Fault]


class Replay:
    """What came of the invocations so far."""

    def __init__(self, memory: Memory, stripe: StripeDouble) -> None:
        self._memory = memory
        self._stripe = stripe
        self._past: dict[tuple[Any, ...], _Past] = {}

    def forget(self) -> None:
        """Run everything anew: the code is another one."""
        self._past.clear()

    def run(self, asked: tuple[Any, ...], injector: Injector, run: Callable[[], Any]) -> Any:
        """Run an invocation, or do what it did.

        Args:
            asked: all that its answer depends on, besides documents and gateway.
            injector: of the cell that runs.
            run: runs it.
        """
        key = (*asked, frozenset(self._memory.contents().items()), self._stripe.saved())
        if past := self._past.get(key):
            self._memory.put_back(past.contents)
            self._stripe.put_back(past.stripe)
            injector.again(past.sites, past.struck)
        else:
            past = self._run(injector, run)
            if all(fault.kind in AT_ONCE for fault in past.struck):
                self._past[key] = past
        if past.failure:
            raise TaskFailed(past.failure.error, past.failure.cause)
        return json.loads(past.answer)

    def _run(self, injector: Injector, run: Callable[[], Any]) -> _Past:
        visits, struck = len(injector.visits), len(injector.struck)
        answer, failure = None, None
        try:
            answer = run()
        except TaskFailed as failed:
            failure = failed
        return _Past(
            json.dumps(answer),
            failure,
            self._memory.contents(),
            self._stripe.saved(),
            [visit.site for visit in injector.visits[visits:]],
            injector.struck[struck:],
        )
