"""The protections that `make hostile` takes away are there, each in one place, with tests that exist."""

from __future__ import annotations

import ast

import pytest

from pipelines.core.repository import ROOT
from tests.hostile.protections import PROTECTIONS, Protection


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.name)
def test_a_protection_can_be_taken_away_and_leaves_a_program(protection: Protection) -> None:
    source = (ROOT / protection.file).read_text(encoding="utf-8")
    assert source.count(protection.before) == 1
    ast.parse(source.replace(protection.before, protection.after))
    assert all((ROOT / test.partition("::")[0]).is_file() for test in protection.tests)


def test_each_protection_is_named_once() -> None:
    names = [protection.name for protection in PROTECTIONS]
    assert len(set(names)) == len(names)
