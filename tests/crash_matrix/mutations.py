"""Patches the real code in this process: a protection taken out of its source, or out of the definition."""

import contextlib
import copy
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from tests.crash_matrix.bench import Bench, Task
from tests.crash_matrix.faults import Fault


class Stale(Exception):  # noqa: N818 - what it is
    """The code no longer says what the mutant wants to change: write the mutant again."""


@dataclass(frozen=True)
class Edit:
    """Replace a text that stands exactly once in a function's source; `where` is module:function."""

    where: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A system without one protection.

    Attributes:
        name: the protection that is missing.
        scenarios: where its lack shows, without the payment method.
        methods: the payment methods it shows with.
        edits: what is changed in the code.
        definition: changes the workflow's definition in place.
        unvalidated: collections that lose their validator, which would refuse what the code lets pass.
        sites: only faults at sites with this text, to find it fast.
        kinds: only these kinds, to find it fast.
        given: a fault that strikes anyhow; the mutant shows at a second one.
        survives: why no cell catches it, where none does.
    """

    name: str
    scenarios: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    definition: Callable[[dict[str, Any]], None] | None = None
    unvalidated: tuple[str, ...] = ()
    sites: str = ""
    kinds: tuple[str, ...] = ()
    given: tuple[Fault, ...] = ()
    methods: tuple[str, ...] = ("credit",)
    survives: str = ""

    def may_show(self, task: Task) -> bool:
        """Tell whether a single fault is one that it may show at."""
        fault = task.faults[-1]
        return self.sites in fault.site and (not self.kinds or fault.kind in self.kinds)


@contextlib.contextmanager
def mutated(bench: Bench, mutant: Mutant) -> Iterator[None]:
    """Take the protection out, and put it back."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(edited(mutant))
        for collection in mutant.unvalidated:
            stack.enter_context(bench.unvalidated(collection))
        if mutant.definition:
            healthy, bench.definition = bench.definition, copy.deepcopy(bench.definition)
            stack.callback(setattr, bench, "definition", healthy)
            mutant.definition(bench.definition)
        stack.enter_context(bench.anew())
        yield


@contextlib.contextmanager
def edited(mutant: Mutant) -> Iterator[None]:
    """Make a mutant's edits of the code, and unmake them.

    Raises:
        Stale: the code says something else today.
    """
    by_function: dict[str, list[Edit]] = {}
    for edit in mutant.edits:
        by_function.setdefault(edit.where, []).append(edit)
    with contextlib.ExitStack() as stack:
        for where, edits in by_function.items():
            stack.enter_context(_edited(where, edits))
        yield


@contextlib.contextmanager
def _edited(where: str, edits: list[Edit]) -> Iterator[None]:
    """Swap a function's code, which every reference to it then runs."""
    module, _, path = where.partition(":")
    loaded: Any = importlib.import_module(module)
    found = loaded
    for name in path.split("."):
        found = getattr(found, name)
    function = inspect.unwrap(found)
    assert isinstance(function, FunctionType), where
    source = textwrap.dedent(inspect.getsource(function))
    for edit in edits:
        if source.count(edit.old) != 1:
            raise Stale(f"{where} holds {source.count(edit.old)} times, not once: {edit.old}")
        source = source.replace(edit.old, edit.new)
    made: dict[str, Any] = {}
    exec(compile(source, f"<mutant of {where}>", "exec"), function.__globals__, made)  # noqa: S102 - our own source
    healthy = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = healthy
