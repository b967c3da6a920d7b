"""What tests leave out in a build, and what their report says beside: how many faults struck, mutants caught.

`make money-path` loads it (`-p tests.in_a_build`), and the evidence of a release shows what it wrote.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.evidence.money_path import CAUGHT, HUNTED, PAIRS, SINGLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from tests.crash_matrix.bench import Benches, Task
    from tests.crash_matrix.cells import Result

_BROWSER = "browser"
"""The fixture of tests that open pages. Whether the image of a build has a browser is nobody's business."""
_counts: Counter[str] = Counter()
_patch = pytest.MonkeyPatch()


def pytest_configure() -> None:
    """Forget the build that tests run in: the role it acts as, where AWS is, and what it is told.

    Fixtures of a session and worker processes begin before any test, and so before what tests patch.
    """
    for name in list(os.environ):
        if name.startswith(("AWS_", "CODEBUILD_", "PAYMENTS_")) and name != "PAYMENTS_CACHE":
            del os.environ[name]


def pytest_sessionstart() -> None:
    """Count whatever benches give back; only now can the parts of the system be imported."""
    from tests.crash_matrix import bench  # noqa: PLC0415 - no earlier, see above

    run, begin, each = bench.Benches.run, bench.Benches.begin, bench.Benches.each

    def counted_run(self: Benches, tasks: Iterable[Task]) -> Iterator[Result]:
        listed = list(tasks)
        for task, result in zip(listed, run(self, listed), strict=True):
            _counts[SINGLES] += bool(result.struck) and len(task.faults) == 1
            _counts[PAIRS] += bool(result.struck) and len(task.faults) > 1
            yield result

    def counted_begin(self: Benches, work: Any, item: Any) -> Future[Any]:
        future = begin(self, work, item)
        waited = future.result
        future.result = lambda timeout=None: _singles(waited(timeout))  # type: ignore[method-assign]
        return future

    def counted_each(self: Benches, work: Any, items: Any) -> Iterator[Any]:
        for result in each(self, work, items):
            _counts[HUNTED] += 1
            _counts[CAUGHT] += bool(result.caught_by)
            yield result

    _patch.setattr(bench.Benches, "run", counted_run)
    _patch.setattr(bench.Benches, "begin", counted_begin)
    _patch.setattr(bench.Benches, "each", counted_each)


def pytest_sessionfinish() -> None:
    """Leave benches as they were."""
    _patch.undo()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a browser, and say so."""
    for item in items:
        if _BROWSER in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="needs a browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Give a test's report what was counted while it ran."""
    try:
        yield
    finally:
        item.user_properties += [(name, count) for name, count in _counts.items() if count]
        _counts.clear()


def _singles(result: Any) -> Any:
    _counts[SINGLES] += result.cells - len(result.missed)
    return result
