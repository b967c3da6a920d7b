"""Which tests answer for which modules."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from tests.mutants.operators import Mutation, mutations

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """Modules, and the quick tests that must notice a fault in one of them.

    Attributes:
        name: How it is asked for.
        sources: Patterns of its modules, below the repository's root; a pattern with `!` leaves modules out.
        tests: Files and folders of its tests, below the folder where they run.
        preloaded: Libraries that its tests import anyway, which are loaded once for all mutants.
        interpreter: The Python that runs its tests, below the repository's root.
        folder: Where its tests run, below the repository's root.
        apart: Its tests start the processes that its modules run in; which test passes a line is then known
            by the test's file alone.
    """

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    preloaded: tuple[str, ...] = ("boto3", "yaml", "pydantic")
    interpreter: str = ".venv/bin/python"
    folder: str = "."
    apart: bool = False

    def modules(self) -> list[Path]:
        """Return its modules, sorted."""
        chosen = {path for pattern in self.sources if pattern[0] != "!" for path in ROOT.glob(pattern)}
        left_out = {path for pattern in self.sources if pattern[0] == "!" for path in ROOT.glob(pattern[1:])}
        return sorted(chosen - left_out)

    def digest(self) -> str:
        """Return the first 8 digits of the SHA-256 of its modules."""
        total = hashlib.sha256()
        for module in self.modules():
            total.update(module.relative_to(ROOT).as_posix().encode() + b"\0" + module.read_bytes())
        return total.hexdigest()[:8]


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
ELSEWHERE: Final = {
    "pipelines/rehearsal/failing_releases.py": "make rehearsal-bad",
    "pipelines/rehearsal/rehearsal_orders.py": "make rehearsal",
}
"""Modules that no quick test can reach, because they only drive a whole rehearsal, and what runs them."""
_PACKAGE: Final = "environments/embedded"
_BESIDE_AWS: Final = tuple(
    f"{_PACKAGE}/src/embedded_aws/{module}"
    for module in ("__main__.py", "instance.py", "server_process.py", "*mongod.py", "card_gateway/*.py")
)
"""The embedded AWS, its MongoDB and its Stripe as processes: the checkout's tests start and stop them."""
_OWN_TESTS: Final = tuple(
    f"tests/{test.name}"
    for test in sorted((ROOT / _PACKAGE / "tests").glob("test_*.py"))
    if test.name != "test_wheel.py"
)
"""The embedded AWS's own, in its own environment; a wheel is built for a minute, and runs as it was built."""
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
        Room(
            "definitions",
            ("pipelines/definitions/**/*.py",),
            ("tests/templates/test_figures.py", "tests/pipelines/definitions"),
            _DEFINED,
        ),
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
            (
                "tests/unit/lambdas/test_transactions.py",
                "tests/unit/lambdas/test_audited_words.py",
                "tests/unit/lambdas/test_second_places.py",
                "tests/integration/data_api",
            ),
            ("pymongo", "boto3", "aws_lambda_powertools"),
        ),
        Room(
            "build",
            ("pipelines/build/*.py",),
            (
                "tests/pipelines/test_packaging.py",
                "tests/pipelines/test_handlers.py",
                "tests/pipelines/test_wheels.py",
                "tests/pipelines/promotion/test_library.py",
                "tests/pipelines/promotion/test_check_cache.py",
                "tests/pipelines/promotion/test_provenance.py",
                "tests/pipelines/promotion/test_changed_bytes.py",
                "tests/pipelines/promotion/test_image.py",
            ),
        ),
        Room("evidence", ("pipelines/evidence/*.py",), ("tests/pipelines/evidence",)),
        Room("promotion", ("pipelines/promotion/*.py",), ("tests/pipelines/promotion",)),
        Room(
            "core",
            ("pipelines/core/*.py",),
            (
                "tests/pipelines/core",
                "tests/pipelines/branch_names",
                "tests/pipelines/promotion/test_check_cache.py",
            ),
        ),
        Room(
            "aws",
            ("pipelines/aws/*.py",),
            (
                "tests/pipelines/aws",
                "tests/pipelines/test_change_sets.py",
                "tests/pipelines/orders/test_place.py",
                "tests/pipelines/cli/test_machines.py",
                "tests/integration/embedded/test_docs_site.py",
            ),
        ),
        Room(
            "deploy",
            ("pipelines/deploy/*.py",),
            (
                "tests/pipelines/deploy",
                "tests/templates/test_synth.py",
                "tests/pipelines/test_change_sets.py",
                "tests/pipelines/promotion/test_changed_bytes.py",
                "tests/integration/embedded/test_package_store.py",
                "tests/integration/embedded/test_first_release.py",
                "tests/rehearsal/test_connect_database.py",
            ),
            _DEFINED,
        ),
        Room(
            "orders",
            ("pipelines/orders/**/*.py",),
            (
                "tests/pipelines/orders",
                "tests/integration/data_api/test_reconciliation.py",
                "tests/integration/card_gateway/test_reconciliation.py",
            ),
        ),
        Room(
            "doctor",
            ("pipelines/doctor/**/*.py",),
            (
                "tests/pipelines/doctor",
                "tests/pipelines/deploy/test_payment_methods.py",
                "tests/rehearsal/test_doctor.py",
                "tests/rehearsal/test_prove.py",
            ),
        ),
        Room(
            "status",
            ("pipelines/status/*.py",),
            ("tests/pipelines/dora", "tests/integration/codesuite/test_dora.py"),
        ),
        Room(
            "supply_chain",
            ("pipelines/supply_chain/*.py",),
            ("tests/pipelines/supply_chain",),
            (*_DEFINED, "click", "rich.console"),
        ),
        Room("setup", ("pipelines/setup/*.py",), ("tests/pipelines/setup",), ("yaml", "pydantic")),
        Room(
            "rehearsal",
            ("pipelines/rehearsal/*.py", *(f"!{file}" for file in ELSEWHERE)),
            (
                "tests/pipelines/promotion/test_scratch_repository.py",
                "tests/pipelines/promotion/test_rehearsed_environments.py",
                "tests/rehearsal/test_acceptance.py",
            ),
        ),
        Room("assumptions", ("pipelines/assumptions/*.py",), ("tests/pipelines/assumptions",), ("yaml",)),
        Room(
            "cli",
            ("pipelines/cli/*.py",),
            (
                "tests/pipelines/cli",
                "tests/pipelines/orders",
                "tests/pipelines/setup",
                "tests/pipelines/linter/test_files.py",
                "tests/pipelines/supply_chain",
            ),
            (*_DEFINED, "click", "rich.table", "rich.live"),
        ),
        Room(
            "console",
            ("pipelines/console/*.py",),
            ("tests/console",),
            ("boto3", "pydantic", "yaml", "jinja2", "starlette"),
        ),
        Room(
            "docs_site",
            ("pipelines/docs_site/**/*.py",),
            (
                "tests/pipelines/test_docs_figures.py",
                "tests/pipelines/test_docs_pages.py",
                "tests/pipelines/test_docs_assets.py",
                "tests/pipelines/test_docs_layout.py",
                "tests/site/test_drift.py",
            ),
            (*_DEFINED, "mkdocs"),
        ),
        Room(
            "embedded",
            (f"{_PACKAGE}/src/**/*.py", *(f"!{module}" for module in _BESIDE_AWS)),
            _OWN_TESTS,
            ("boto3", "yaml"),
            interpreter=".cache/embedded-aws/bin/python",
            folder=_PACKAGE,
            apart=True,
        ),
        Room(
            "embedded_processes",
            _BESIDE_AWS,
            (
                # The gateway's processes are not measured: all run on a change of it, the most direct first.
                "tests/integration/card_gateway/test_payment_intents.py",
                "tests/integration/card_gateway/test_refunds.py",
                "tests/integration/card_gateway/test_money_that_moves_later.py",
                "tests/integration/card_gateway/test_bank_debits.py",
                "tests/integration/card_gateway/test_idempotency_keys.py",
                "tests/integration/card_gateway/test_local_gateway.py",
                "tests/integration/embedded/test_card_gateway.py",
                "tests/integration/embedded/test_mongod.py",
                "tests/integration/embedded/test_command.py",
                "tests/integration/embedded/test_own_cluster.py",
                "tests/integration/embedded/test_lifecycle.py",
            ),
        ),
    )
}


def mutants(room: Room) -> Iterator[Mutant]:
    """Yield every mutant of a room's modules."""
    for module in room.modules():
        for mutation in mutations(module.read_bytes()):
            yield Mutant(str(module.relative_to(ROOT)), mutation)


def sample(
    candidates: Iterable[Mutant], count: int, seed: int, passed_over: Container[tuple[str, ...]] = ()
) -> list[Mutant]:
    """Draw mutants, each kind of change as likely as any other, the same ones for the same seed.

    Those whose key is passed over are drawn and put away, so that naming one leaves the others as they are.
    """
    by_operator: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in candidates:
        by_operator[mutant.mutation.operator].append(mutant)
    drawn: list[Mutant] = []
    draw = random.Random(seed)  # noqa: S311 - the same sample tomorrow
    for kind in sorted(by_operator):
        draw.shuffle(by_operator[kind])
    while by_operator and len(drawn) < count:
        kind = draw.choice(sorted(by_operator))
        mutant = by_operator[kind].pop()
        if mutant.key() not in passed_over:
            drawn.append(mutant)
        if not by_operator[kind]:
            del by_operator[kind]
    return drawn
