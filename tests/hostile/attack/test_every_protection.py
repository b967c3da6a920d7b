"""Each protection taken away again, one at a time, in a copy of the tree: its tests notice every one.

`make hostile` runs it; a change costs as much as the tests that have to notice it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipelines.core.repository import ROOT
from tests.hostile.protections import PROTECTIONS, Protection
from tests.mutants import worker
from tests.mutants.__main__ import Bench
from tests.mutants.rooms import Room

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOM: Final = Room("protections", (), ())
_SECONDS: Final = 600.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(_ROOM, tmp_path_factory.mktemp("tree") / "copy")
    yield made
    made.close()


@pytest.mark.parametrize("tests", sorted({protection.tests for protection in PROTECTIONS}), ids=" ".join)
def test_with_every_protection_the_tests_pass(bench: Bench, tests: tuple[str, ...]) -> None:
    file = next(protection.file for protection in PROTECTIONS if protection.tests == tests)
    source = (ROOT / file).read_text(encoding="utf-8")
    assert bench.tried(tests, file, source, _SECONDS) == worker.SURVIVED


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.name)
def test_taking_a_protection_away_is_noticed(bench: Bench, protection: Protection) -> None:
    source = (ROOT / protection.file).read_text(encoding="utf-8")
    without = source.replace(protection.before, protection.after)
    assert bench.tried(protection.tests, protection.file, without, _SECONDS) == worker.KILLED
