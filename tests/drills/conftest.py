"""An embedded AWS whose alarms count short minutes, and one stack for each drill; TIMES runs of each."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from embedded_aws import mongod
from embedded_aws.card_gateway import gateway
from environments import schema
from environments.parts import Alarms
from pipelines.aws.accounts import Aws
from pipelines.build import packaging
from pipelines.deploy import deployment
from pipelines.orders import payment_stack
from tests.drills import drill_aws, record
from tests.drills.alarm_listener import Ears
from tests.drills.drill import Scene
from tests.drills.record import Run
from tests.drills.schedules import each_minute
from tests.drills.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from embedded_aws.instance import Instance
    from environments.schema import Environment
    from pipelines.build.package_manifest import Manifest

TIMES: Final = int(os.environ.get("TIMES") or record.IN_A_ROW)
# What version 2 of the aws command does by itself.
_AWS_CONFIG: Final = "[default]\ncli_timestamp_format = iso8601\n"
_ended_well: dict[str, list[Run]] = defaultdict(list)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each drill as often as asked for, in a row."""
    if "scene" in metafunc.fixturenames:
        metafunc.parametrize("scene", range(1, TIMES + 1), indirect=True, ids=lambda time: f"time-{time}")


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[Instance]:
    """An embedded AWS of the drills' own."""
    with drill_aws.running(drill_aws.ALARM_MINUTE_SECONDS) as instance:
        yield instance


@pytest.fixture(scope="module")
def minute(request: pytest.FixtureRequest) -> float:
    """How many seconds an alarm's minute takes: a module may say MINUTE_SECONDS."""
    return _minute_of(request.module)


@pytest.fixture(scope="module")
def embedded(request: pytest.FixtureRequest, minute: float) -> Iterator[Instance]:
    """The one that drills share, or one with minutes of this drill's own."""
    if minute == drill_aws.ALARM_MINUTE_SECONDS:
        yield request.getfixturevalue("shared_aws")
        return
    with drill_aws.running(minute) as instance:
        yield instance


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """The functions' packages, where `payments deploy` finds them too."""
    return packaging.build()


@pytest.fixture(scope="module")
def paid_by_card(request: pytest.FixtureRequest) -> bool:
    """Whether cards pay for the orders of a drill: its module says PAID_BY_CARD."""
    return getattr(request.module, "PAID_BY_CARD", False)


@pytest.fixture(scope="module")
def checkout(paid_by_card: bool, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where the environment's file is, if commands are to read another one than this checkout's."""
    return tmp_path_factory.mktemp("checkout") if paid_by_card else None


@pytest.fixture(scope="module")
def environment(checkout: Path | None) -> Environment:
    """The environment that is broken."""
    if checkout:
        return drill_aws.paid_by_card(checkout)
    return schema.load("branch").model_copy(update={"alarms": Alarms()})


@pytest.fixture(scope="module")
def card_gateway(paid_by_card: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The URL of a card gateway, where cards pay; a drill that breaks it has one of its own."""
    if not paid_by_card:
        yield None
        return
    running = gateway.start(tmp_path_factory.mktemp("stripe"))
    yield running.url
    running.stop()


@pytest.fixture(scope="module")
def there(environment: Environment, card_gateway: str | None) -> tuple[Environment, str | None]:
    """The environment, and the card gateway beside it."""
    return environment, card_gateway


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest,
    embedded: Instance,
    manifest: Manifest,
    there: tuple[Environment, str | None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """A stack of this drill's own, with a MongoDB of its own."""
    database = mongod.start(tmp_path_factory.mktemp("mongod"))
    itself, gateway = there
    aws = Aws(itself, embedded.endpoint, database.uri, card_gateway=gateway or embedded.card_gateway)
    name = f"drill-{_name(request.module.__name__)}"
    deployment.deploy(aws, manifest, stack=name)
    made = System(payment_stack.connect(aws, name), database)
    with each_minute(made, "ScheduleCheck", _minute_of(request.module)):
        yield made
    made.database.stop()


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, system: System, checkout: Path | None, tmp_path: Path
) -> Iterator[Scene]:
    """One run of the drill; it is recorded once it ended well."""
    drill = _name(request.module.__name__)
    run = Run(drill)
    _tell(f"\n{drill}, {request.param} of {TIMES}")
    system.traffic = replace(system.traffic, placed=[], waiting=[])
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(_AWS_CONFIG, encoding="utf-8")
    ears = Ears(system)
    yield Scene(system, run, tmp_path, ears, lambda what: _tell(f"  {what}"), checkout)
    ears.rest()
    if not run.held:  # it did not get that far
        _ended_well[drill].clear()
        return
    _ended_well[drill].append(run)
    if len(_ended_well[drill]) == TIMES >= record.IN_A_ROW:
        record.write(_ended_well[drill])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """One line for each run that ended well."""
    yield
    terminalreporter.section("drills")
    for runs in _ended_well.values():
        for run in runs:
            terminalreporter.line(run.told())


def _tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _minute_of(module: ModuleType) -> float:
    return float(getattr(module, "MINUTE_SECONDS", drill_aws.ALARM_MINUTE_SECONDS))


def _name(module: str) -> str:
    return module.rpartition(".test_")[2].replace("_", "-")
