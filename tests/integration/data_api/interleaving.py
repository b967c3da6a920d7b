"""Faults at a place in the code: something else happens there first, or the handler dies there."""

from collections.abc import Callable
from typing import Any

import pytest


class CrashError(Exception):
    """The sandbox died here."""


class Interleaving:
    """Puts one fault before or after one call of a function; later calls go through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.waiting: set[str] = set()

    def before(self, module: Any, name: str, action: Callable[[], Any]) -> None:
        """Freeze the handler just before the call, and let the action happen meanwhile."""
        self._once(module, name, action, before=True)

    def after(self, module: Any, name: str, action: Callable[[], Any]) -> None:
        """Freeze the handler just after the call."""
        self._once(module, name, action, before=False)

    def _once(self, module: Any, name: str, action: Callable[[], Any], *, before: bool) -> None:
        original = getattr(module, name)
        self.waiting.add(name)

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            self._monkeypatch.setattr(module, name, original)
            self.waiting.discard(name)
            if before:
                action()
            result = original(*args, **kwargs)
            if not before:
                action()
            return result

        self._monkeypatch.setattr(module, name, interrupted)


def crash() -> None:
    raise CrashError
