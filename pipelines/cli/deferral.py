"""Puts off what a command imports until it runs, so that its help and a shell's completion are quick.

A module of commands has two kinds of imports: what declares its commands, as ever, and below that, in one
block, the modules that run them:

    with deferral.until_run():
        from pipelines.orders import orders, payment_stack

Linters, type checkers and import contracts see ordinary imports. The names of the block are stand-ins: a
module is imported when a command is about to run (`run_imports`), or by the first attribute that anybody asks
its stand-in for. So the block holds whole modules only: no name of a module, and no `import a.b`. Python 3.15
says the same with `lazy import` (PEP 810).

Stand-ins are in nobody's `sys.modules`. The standard library's LazyLoader leaves modules there that anything
executes that looks through them, `inspect` for one, in the middle of another import.
"""

from __future__ import annotations

import builtins
import threading
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_deferred: Final[list[str]] = []
"""The names of modules that were put off."""


class _StandIn(ModuleType):
    """A module that is imported when it is used; what is asked of it or set in it is the real one's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        _deferred.append(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(import_module(self.__name__), name, value)


@contextmanager
def until_run() -> Iterator[None]:
    """Have the modules that are imported here stood in for.

    Raises:
        ImportError: An import binds a package and means a module of it, as `import a.b` does.
    """
    ordinary, here = builtins.__import__, threading.get_ident()

    def stand_in(name: str, *arguments: Any, **named: Any) -> Any:
        if threading.get_ident() != here:
            return ordinary(name, *arguments, **named)
        _, _, parts, _ = arguments  # the interpreter's: globals, locals, names, level
        if parts:
            return SimpleNamespace(**{part: _StandIn(f"{name}.{part}") for part in parts})
        if "." in name:
            raise ImportError(f"say from {name.rpartition('.')[0]} import {name.rpartition('.')[2]}")
        return _StandIn(name)

    builtins.__import__ = stand_in
    try:
        yield
    finally:
        builtins.__import__ = ordinary


def run_imports() -> None:
    """Import every module that was put off: before anything is done, and before there are threads.

    Raises:
        ImportError: One of them is not there, or needs what is not installed.
    """
    while _deferred:
        import_module(_deferred.pop(0))
