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


EVERYTHING = ("branch", "staging", "prod")


@pytest.mark.parametrize(
    "together", [EVERYTHING, ("branch", "staging"), ("staging", "prod"), ("branch",), ()]
)
def test_any_environments_may_share_the_tools_account_or_one_of_their_own(together: tuple[str, ...]) -> None:
    for account in (tools.load().account, "555555555555"):
        assert found({name: {"account": account} for name in together}) == []


@pytest.mark.parametrize(
    ("name", "begins_with", "whose"),
    [
        ("payments-network-branch", "payments-network-branch", "branch"),
        ("payments-staging-net", "payments-staging", "staging"),
        ("branch-network", "branch", "branch"),
        ("payments-staging", "payments-staging", "staging"),
        ("payments-pipelines-net", "payments-pipelines", "tools"),
    ],
)
def test_names_that_do_not_tell_environments_of_one_account_apart_are_refused(
    name: str, begins_with: str, whose: str
) -> None:
    # Given one account for all, and production's network under a name that says another's
    account = {"account": tools.load().account}
    shared = dict.fromkeys(EVERYTHING, account) | {"prod": account | {"network_stack": name}}
    # Then each is refused, and in accounts of their own none is
    (problem,) = found(shared)
    assert f"begins with {begins_with}, which is {whose}'s in the same account" in problem.rule or (
        f"begins with {name}, which is prod's" in problem.rule
    )
    assert found({"prod": {"network_stack": name}}) == []


def test_a_network_whose_name_is_cut_off_in_the_names_of_its_roles_is_refused() -> None:
    (problem,) = found({"prod": {"network_stack": "payments-network-of-production"}})
    assert problem.key == "prod: network_stack"
    assert "longer than 24 characters" in problem.rule


def test_another_region_than_the_pipelines_is_refused() -> None:
    (problem,) = found({"prod": {"region": "eu-west-1"}})
    assert (problem.key, problem.rule.split(":")[0]) == (
        "prod: region",
        "is eu-west-1, and the pipelines are in eu-central-1",
    )
