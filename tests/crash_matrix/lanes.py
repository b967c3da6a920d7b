"""Threads that hand a baton: exactly one runs at any time, so every run is the same.

A lane is one request or one invocation that may freeze; turns are two executions that go on alternately.
"""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

current: contextvars.ContextVar["Lane | None"] = contextvars.ContextVar("lane", default=None)
"""The lane that this code runs in, None outside any."""
ghostly: contextvars.ContextVar[bool] = contextvars.ContextVar("ghostly", default=False)
"""True in what nobody waits for any more, or what a fault itself does: no fault strikes there."""

_PATIENCE_SECONDS = 60.0  # far beyond any cell: a lost baton must fail, not hang


class Frozen(Exception):  # noqa: N818 - what happened
    """The lane stopped in the middle; nobody gets an answer."""


class Lane:
    """One request or invocation in a thread of its own, so that it can stop in the middle and go on later."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self._run = run
        self._context = contextvars.copy_context()
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._finished = False
        self._value: Any = None
        self._error: BaseException | None = None
        self.ghost = False
        self._thread = threading.Thread(target=self._context.run, args=(self._body,), daemon=True)

    def start(self) -> Any:
        """Run until the end or until it freezes.

        Raises:
            Frozen: it freezes; whatever else it raises, it raises here.
        """
        self._thread.start()
        acquire(self._stopped)
        if not self._finished:
            raise Frozen
        if self._error is not None:
            raise self._error
        return self._value

    def freeze(self) -> None:
        """Stop here, called from inside; return when resumed. What follows is ghostly."""
        self.ghost = True
        self._stopped.release()
        acquire(self._go)

    def resume(self) -> BaseException | None:
        """Run on to the end, and return what it raised: nobody else would hear of it."""
        self._go.release()
        acquire(self._stopped)
        return self._error

    def _body(self) -> None:
        current.set(self)
        try:
            self._value = self._run()
        except BaseException as error:  # noqa: BLE001 - whatever it raises belongs to whoever waits for it
            self._error = error
        self._finished = True
        self._stopped.release()


def run(what: Callable[[], Any], *, freezable: bool) -> Any:
    """Run something, in a lane of its own if it may freeze.

    Raises:
        Frozen: it froze.
    """
    return Lane(what).start() if freezable and not is_ghost() else what()


def is_ghost() -> bool:
    """Tell whether nobody waits for what runs here."""
    lane = current.get()
    return ghostly.get() or (lane is not None and lane.ghost)


def as_ghost(run: Callable[[], Any]) -> Any:
    """Run something that no fault may strike."""
    token = ghostly.set(True)
    try:
        return run()
    finally:
        ghostly.reset(token)


class Turns:
    """Several runs that take turns: each does one thing, then the next one does."""

    def __init__(self, runs: dict[str, Callable[[], None]]) -> None:
        self._batons = {name: threading.Semaphore(0) for name in runs}
        self._alive = list(runs)
        self._errors: list[BaseException] = []
        self._all_done = threading.Semaphore(0)
        self._threads = [
            threading.Thread(target=self._body, args=(name, run), daemon=True) for name, run in runs.items()
        ]

    def run(self) -> None:
        """Run all to their ends; raise the first error of any."""
        for thread in self._threads:
            thread.start()
        self._batons[self._alive[0]].release()
        acquire(self._all_done)
        if self._errors:
            raise self._errors[0]

    @property
    def alone(self) -> bool:
        """Whether all others have come to their ends."""
        return len(self._alive) == 1

    def pass_on(self, name: str) -> None:
        """Let the next one go on and wait for the baton to come back."""
        if name not in self._alive or len(self._alive) == 1:
            return
        self._batons[self._after(name)].release()
        acquire(self._batons[name])

    def _after(self, name: str) -> str:
        return self._alive[(self._alive.index(name) + 1) % len(self._alive)]

    def _body(self, name: str, run: Callable[[], None]) -> None:
        acquire(self._batons[name])
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again by run(), in the thread that waits
            self._errors.append(error)
        following = self._after(name)
        self._alive.remove(name)
        if self._alive:
            self._batons[following].release()
        else:
            self._all_done.release()


def acquire(baton: threading.Semaphore) -> None:
    """Wait for a baton.

    Raises:
        TimeoutError: it is lost, which is a bug in the matrix.
    """
    if not baton.acquire(timeout=_PATIENCE_SECONDS):
        raise TimeoutError("a baton of the crash matrix was lost")
