"""Each import contract can fail, and covers every package that its name covers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.core.repository import ROOT
from tests.pipelines.import_contracts import planting

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS: Final[Mapping[str, dict[str, Any]]] = {
    contract["name"]: contract for contract in OPTIONS["contracts"]
}
PATH: Final = (".", "lambdas", "lambdas/payment_data/src", "environments/embedded/src")
PLATFORM: Final = {"environments", "templates", "pipelines"}
MAY_REACH_THE_EMBEDDED_AWS: Final = {"pipelines.cli", "pipelines.rehearsal"}


def packages(folder: str) -> set[str]:
    return {path.parent.name for path in (ROOT / folder).glob("*/__init__.py")}


FUNCTIONS: Final = packages("lambdas")
SHIPPED: Final = FUNCTIONS | {"payment_data"}
EVERYTHING: Final = PLATFORM | SHIPPED | {"embedded_aws"}
ROOMS: Final = {f"pipelines.{room}" for room in packages("pipelines")}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[list[str]]]]:
    """What each contract finds when every import that it forbids is planted in a copy of the tree."""
    copy = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "*.yml", "*.json", "*.html")
    for folder in (*PLATFORM, "lambdas"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    search = os.pathsep.join(str(copy / folder) for folder in PATH)
    planted = subprocess.run(
        [sys.executable, planting.__file__],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": search},
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(planted.stdout.strip().splitlines()[-1]))


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_forbidden_import_is_found_wherever_it_is_planted(
    results: dict[str, dict[str, list[list[str]]]], name: str
) -> None:
    assert results[name]["planted"]
    assert results[name]["missed"] == []


def test_every_package_of_the_tree_is_read() -> None:
    assert set(OPTIONS["root_packages"]) == EVERYTHING


@pytest.mark.parametrize(
    ("name", "key", "covered"),
    [
        ("What ships imports nothing of the platform", "source_modules", SHIPPED),
        ("What ships imports nothing of the platform", "forbidden_modules", EVERYTHING - SHIPPED),
        (
            "Functions share the library and nothing else; only the data API touches MongoDB",
            "source_modules",
            SHIPPED - {"data_api"},
        ),
        ("Functions are independent of each other", "modules", FUNCTIONS),
        (
            "Only the command line and the rehearsal reach the embedded AWS",
            "source_modules",
            {"environments", "templates"} | ROOMS - MAY_REACH_THE_EMBEDDED_AWS,
        ),
        ("The embedded AWS imports nothing of the house", "forbidden_modules", EVERYTHING - {"embedded_aws"}),
        ("No package of the house holds a circle", "ancestors", EVERYTHING - {"embedded_aws"}),
        (
            "localstripe (GPL-3) stays in the card gateway's own process",
            "source_modules",
            EVERYTHING - {"embedded_aws"} | {"embedded_aws.card_gateway.gateway"},
        ),
    ],
)
def test_a_contract_covers_what_its_name_covers(name: str, key: str, covered: set[str]) -> None:
    assert set(CONTRACTS[name][key]) == covered


def test_layers_leave_no_package_out() -> None:
    # Given the contracts over the packages inside another one
    inside = [contract for contract in CONTRACTS.values() if "containers" in contract]
    # Then a new package is refused until it has a layer
    assert [contract["name"] for contract in inside if contract.get("exhaustive") is not True] == []
    # And no module lies beside the rooms
    assert {path.name for path in (ROOT / "pipelines").glob("*.py")} == {"__init__.py"}
