"""Whatever environments' files choose: linters pass the templates, and the docs are made of them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from environments import schema, tools
from environments.groupings import PROMOTED
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.docs_site import generated
from pipelines.setup import answers
from tests.pipelines.setup.test_setup import ATLAS, BASE, IN_ONE_ACCOUNT, OWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BY_CARD = (
    OWN
    | {"payment_method": "card"}
    | {
        f"{name}_stripe_secret": f"arn:aws:secretsmanager:eu-west-1:{BASE[f'{name}_account']}:secret:s-AbCdEf"
        for name in PROMOTED
    }
)


@pytest.fixture
def choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Let the environments' files, which everything loads then, say what was answered."""

    def chosen(given: dict[str, str]) -> Path:
        folder = tmp_path / "environments"
        folder.mkdir()
        for file in schema.FOLDER.glob("*.yml"):
            shutil.copy(file, folder)
        answers.write(given, folder)
        monkeypatch.setattr(schema, "FOLDER", folder)
        monkeypatch.setattr(schema.load, "__defaults__", (folder,))
        monkeypatch.setattr(tools.load, "__defaults__", (folder / "tools.yml",))
        return folder

    return chosen


@pytest.mark.parametrize(
    "given", [ATLAS, IN_ONE_ACCOUNT, OWN, BY_CARD], ids=["Atlas", "one account", "own cluster", "by card"]
)
def test_the_docs_are_made_of_it(
    choose: Callable[[dict[str, str]], Path], tmp_path: Path, given: dict[str, str]
) -> None:
    choose(given)
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs)
    # Then no page disagrees with the code
    generated.write(ROOT, docs, main)
    # And the network is drawn with the way out that cards need, and with none otherwise
    drawn = (docs / "reference" / "topology.md").read_text(encoding="utf-8")
    assert ("The internet, by the NAT gateway" in drawn) == (given is BY_CARD)


def test_the_linters_pass_its_templates(choose: Callable[[dict[str, str]], Path]) -> None:
    # Given the choice with the most secrets: of the cluster's login and of the gateway's key
    choose(BY_CARD)
    linted = CliRunner().invoke(main, ["lint"])
    assert linted.exit_code == 0, linted.output
