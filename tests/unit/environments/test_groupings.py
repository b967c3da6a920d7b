"""How environments and tools may be spread over accounts and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from environments import groupings, tools
from environments.schema import Environment, load

if TYPE_CHECKING:
    from environments.files import Problem


def found(changes: dict[str, dict[str, Any]]) -> list[Problem]:
    environments: dict[str, Environment] = {
        name: load(name).model_copy(update=changes.get(name, {})) for name in groupings.PROMOTED
    }
    return list(groupings.problems(environments, tools.load()))


def test_our_own_files_work() -> None:
    assert found({}) == []


@pytest.mark.parametrize(
    ("first", "second"), [("branch", "staging"), ("branch", "prod"), ("staging", "prod")]
)
def test_two_environments_in_one_account_are_refused_with_the_reason(first: str, second: str) -> None:
    (problem,) = found({second: {"account": load(first).account}})
    assert problem.key == f"{second}: account"
    assert problem.rule.startswith(
        f"{load(first).account} is {first}'s, too: an account has one bootstrap stack"
    )


def test_branches_beside_the_pipelines_are_refused_and_staging_or_production_are_not() -> None:
    account = tools.load().account
    (problem,) = found({"branch": {"account": account}})
    assert (problem.key, "is the tools' account, too" in problem.rule) == ("branch: account", True)
    assert found({"staging": {"account": account}}) == found({"prod": {"account": account}}) == []


def test_another_region_than_the_pipelines_is_refused() -> None:
    (problem,) = found({"prod": {"region": "eu-west-1"}})
    assert (problem.key, problem.rule.split(":")[0]) == (
        "prod: region",
        "is eu-west-1, and the pipelines are in eu-central-1",
    )
