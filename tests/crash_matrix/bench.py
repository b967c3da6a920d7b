"""Where cells run: everything wired once, on one database; and several of these side by side."""

import contextlib
import io
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, NamedTuple, TypeVar

import pymongo

from templates.definitions import payment_workflow
from tests.crash_matrix.cells import Cell, Result
from tests.crash_matrix.faults import Fault
from tests.crash_matrix.laboratory import Laboratory
from tests.crash_matrix.scenarios import SCENARIOS
from tests.crash_matrix.world import World

WORKERS = 2
_CHUNK = 16
_BATCH = 1024
_PREFIX = "crash-matrix"
_COVERAGE = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
T = TypeVar("T")


class Task(NamedTuple):
    """A cell to run."""

    scenario: str
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return " || ".join([self.scenario, *map(str, self.faults)])


class Bench:
    """A laboratory with its data; `definition` is the workflow's, and may be replaced."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._world = World(laboratory)
        self.definition: dict[str, Any] = payment_workflow.definition()

    @contextlib.contextmanager
    def unvalidated(self, collection: str) -> Iterator[None]:
        """Take a collection's validator away for a while."""
        database = self._laboratory.database
        options = next(iter(database.list_collections(filter={"name": collection})))["options"]
        database.command("collMod", collection, validator={})
        self._laboratory.memory.forget()
        try:
            yield
        finally:
            self._laboratory.memory.forget()
            database.command("collMod", collection, validator=options["validator"])

    @contextlib.contextmanager
    def anew(self) -> Iterator[None]:
        """Let every invocation run anew, before and after: the code is another one for a while."""
        self._laboratory.replay.forget()
        try:
            yield
        finally:
            self._laboratory.replay.forget()

    @property
    def commands(self) -> tuple[int, int]:
        """How many commands mongod executed, and how many it had answered before."""
        return self._laboratory.memory.asked, self._laboratory.memory.remembered

    def run(self, task: Task) -> Result:
        """Run one cell."""
        cell = Cell(self._laboratory, self._world, self.definition, SCENARIOS[task.scenario])
        with contextlib.redirect_stdout(io.StringIO()):  # every parked order prints a metric
            return cell.run(task.faults)


@contextlib.contextmanager
def open_bench(uri: str, prefix: str = _PREFIX, *, forgetful: bool = False) -> Iterator[Bench]:
    """Wire everything in this process, on a database of its own that is dropped in the end."""
    name = f"{prefix}-{os.getpid()}"
    with Laboratory(uri, name, forgetful=forgetful).open() as laboratory:
        try:
            yield Bench(laboratory)
        finally:
            laboratory.database.client.drop_database(name)


class Benches:
    """Worker processes with a bench each: a cell waits for MongoDB half of its time."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Run cells; results come in the order of the tasks."""
        return self._executor.map(_run, tasks, chunksize=_CHUNK)

    def run_lazily(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Result]]:
        """Run many cells, taking from the plan only as many as are about to run."""
        while batch := list(itertools.islice(tasks, _BATCH)):
            yield from zip(batch, self.run(batch), strict=True)

    def begin(self, work: Callable[[Bench, Any], T], item: Any) -> Future[T]:
        """Do something else on a bench, once one is free; `work` is a module's function."""
        return self._executor.submit(_work, (work, item))

    def each(self, work: Callable[[Bench, Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Do something else on the benches, one item at a time; `work` is a module's function."""
        return self._executor.map(_work, [(work, item) for item in items])


@contextlib.contextmanager
def open_benches(uri: str, workers: int = WORKERS) -> Iterator[Benches]:
    """Start worker processes and end them; their databases are dropped."""
    spawn = multiprocessing.get_context("spawn")
    prefix = f"{_PREFIX}-{os.getpid()}"
    with ProcessPoolExecutor(workers, spawn, _open, (uri, prefix)) as executor:
        with _unmeasured():
            executor.submit(os.getpid).result()  # the first task starts all of them
        try:
            yield Benches(executor)
        finally:
            executor.shutdown(cancel_futures=True)
            with pymongo.MongoClient[dict[str, Any]](uri) as client:
                for name in client.list_database_names():
                    if name.startswith(f"{prefix}-"):
                        client.drop_database(name)


@contextlib.contextmanager
def _unmeasured() -> Iterator[None]:
    """Start processes that do not count what code they cover: other tests do, and it doubles the time."""
    kept = {name: os.environ.pop(name) for name in _COVERAGE if name in os.environ}
    try:
        yield
    finally:
        os.environ |= kept


_open_here = contextlib.ExitStack()
_benches: list[Bench] = []


def _open(uri: str, prefix: str) -> None:
    _benches.append(_open_here.enter_context(open_bench(uri, prefix)))


def _run(task: Task) -> Result:
    return _benches[0].run(task)


def _work(job: tuple[Callable[[Bench, Any], Any], Any]) -> Any:
    work, item = job
    return work(_benches[0], item)
