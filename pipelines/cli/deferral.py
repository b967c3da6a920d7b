"""Puts off what a command imports until it runs, so that its help and a shell's completion are quick.

A module of commands has two kinds of imports: what declares its commands, as ever, and below that, in one
block, what runs them:

    with deferral.until_run():
        from pipelines.orders import orders, payment_stack

The names of the block are the modules themselves, found but not executed yet; linters, type checkers and
import contracts see ordinary imports. A module is executed when a command is about to run (`run_imports`), or
by the first attribute that anybody asks it for. So the block holds modules only: `from module import name`
asks for an attribute, and would execute it at once. Python 3.15 says the same with `lazy import` (PEP 810).
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_deferred: Final[list[ModuleType]] = []
"""What was found and, as far as we know, not executed yet."""


class _Loader(LazyLoader):
    """The standard library's loader, which executes a module when it is used; it remembers which."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _deferred.append(module)


class _Finder:
    """Finds modules as ever, and has them loaded by `_Loader`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


@contextmanager
def until_run() -> Iterator[None]:
    """Find the modules that are imported here, and execute none of them yet."""
    sys.meta_path.insert(0, _Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(_Finder)


def run_imports() -> None:
    """Execute every module that was put off: before there are threads, which could meet one half-way.

    Raises:
        ImportError: One of them imports what is not installed.
    """
    while _deferred:
        vars(_deferred.pop(0))  # whatever a module is asked for, it is executed first
