"""Which tests answer for which modules."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from tests.mutants.operators import Mutation, mutations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """Modules, and the quick tests that must notice a fault in one of them.

    Attributes:
        name: How it is asked for.
        sources: Patterns of its modules, below the repository's root; a pattern with `!` leaves modules out.
        tests: Files and folders of its tests.
        preloaded: Libraries that its tests import anyway, which are loaded once for all mutants.
    """

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    preloaded: tuple[str, ...] = ("boto3", "yaml", "pydantic")

    def modules(self) -> list[Path]:
        """Return its modules, sorted."""
        chosen = {path for pattern in self.sources if pattern[0] != "!" for path in ROOT.glob(pattern)}
        left_out = {path for pattern in self.sources if pattern[0] == "!" for path in ROOT.glob(pattern[1:])}
        return sorted(chosen - left_out)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change in it.

    Attributes:
        file: The module, below the repository's root.
        mutation: The change.
    """

    file: str
    mutation: Mutation

    def key(self) -> tuple[str, str, str, str]:
        """Return what stays the same when lines move: the file, the statement, and the change."""
        change = self.mutation
        return (self.file, change.statement, change.before, change.after)


_DEFINED: Final = ("troposphere", "awacs", "boto3", "yaml", "cfnlint.api", "pydantic")
ROOMS: Final = {
    room.name: room
    for room in (
        Room("environments", ("environments/*.py",), ("tests/unit/environments",), ("yaml", "pydantic")),
        Room(
            "templates",
            ("templates/**/*.py",),
            # Whatever does not call cfn-lint, the quickest first.
            (
                "tests/templates/test_figures.py",
                "tests/templates/test_payment_definition.py",
                "tests/templates/test_smoke_definition.py",
                "tests/templates/test_alarms.py",
                "tests/templates/test_network.py",
                "tests/templates/test_docs.py",
                "tests/templates/test_observability.py",
                "tests/templates/test_payments.py",
                "tests/templates/test_password.py",
                "tests/templates/test_image_packaging.py",
                "tests/templates/test_invariants.py",
                "tests/templates/test_alarm_series.py",
                "tests/templates/test_synth.py",
            ),
            _DEFINED,
        ),
        Room(
            "lint",
            ("pipelines/lint/**/*.py",),
            ("tests/pipelines/linter", "tests/templates/test_house_rules.py", "tests/templates/test_lint.py"),
            _DEFINED,
        ),
        Room("definitions", ("pipelines/definitions/**/*.py",), ("tests/pipelines/definitions",), _DEFINED),
        Room(
            "payment_data",
            ("lambdas/payment_data/src/**/*.py",),
            ("tests/unit/lambdas",),
            ("botocore.session", "urllib3", "stripe", "aws_lambda_powertools"),
        ),
        Room(
            "steps",
            ("lambdas/*/*.py", "!lambdas/data_api/*.py"),
            ("tests/unit/lambdas",),
            ("botocore.session", "urllib3", "stripe", "aws_lambda_powertools"),
        ),
        Room(
            "data_api",
            ("lambdas/data_api/**/*.py",),
            ("tests/integration/data_api",),
            ("pymongo", "boto3", "aws_lambda_powertools"),
        ),
        Room(
            "build",
            ("pipelines/build/*.py",),
            (
                "tests/pipelines/test_packaging.py",
                "tests/pipelines/promotion/test_library.py",
                "tests/pipelines/promotion/test_check_cache.py",
            ),
        ),
        Room("evidence", ("pipelines/evidence/*.py",), ("tests/pipelines/evidence",)),
        Room("promotion", ("pipelines/promotion/*.py",), ("tests/pipelines/promotion",)),
    )
}


def mutants(room: Room) -> Iterator[Mutant]:
    """Yield every mutant of a room's modules."""
    for module in room.modules():
        for mutation in mutations(module.read_bytes()):
            yield Mutant(str(module.relative_to(ROOT)), mutation)


def sample(candidates: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw mutants, each kind of change as likely as any other, the same ones for the same seed."""
    by_operator: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in candidates:
        by_operator[mutant.mutation.operator].append(mutant)
    drawn: list[Mutant] = []
    draw = random.Random(seed)  # noqa: S311 - the same sample tomorrow
    for kind in sorted(by_operator):
        draw.shuffle(by_operator[kind])
    while by_operator and len(drawn) < count:
        kind = draw.choice(sorted(by_operator))
        drawn.append(by_operator[kind].pop())
        if not by_operator[kind]:
            del by_operator[kind]
    return drawn
