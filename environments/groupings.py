"""Which environments may share an account and a region: any, as long as their names tell them apart.

Roles, boundaries and permissions of an environment hold on to what the names of its stacks begin with. What
would reach into another environment is refused before anything is deployed, with the reason.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from environments import file_names
from environments import tools as tools_file
from environments.files import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from environments.schema import Environment
    from environments.tools import Tools

PROMOTED: Final = file_names.PROMOTED
"""The environments that pipelines deploy to."""
LONGEST_NETWORK: Final = 24
"""Of 64 characters for the name of a role or a function CloudFormation gives the stack's name 25, where the
logical id is as long, and cuts off the rest; permissions rest on the whole."""


def problems(environments: Mapping[str, Environment], tools: Tools) -> Iterator[Problem]:
    """Yield what does not work in how environments and tools are spread over accounts and regions.

    Args:
        environments: The environments that pipelines deploy to, by name.
        tools: The tools account.
    """
    promoted = [environments[name] for name in PROMOTED if name in environments]
    for environment in promoted:
        if len(environment.network_stack) > LONGEST_NETWORK:
            yield Problem(
                f"{environment.name}: network_stack",
                f"{environment.network_stack} is longer than {LONGEST_NETWORK} characters: CloudFormation "
                "would cut it off in the names of roles, and permissions rest on them",
            )
        if environment.region != tools.region:
            yield Problem(
                f"{environment.name}: region",
                f"is {environment.region}, and the pipelines are in {tools.region}: an action in another "
                f"region needs "
                "an artifact store there, and there is one. Choose one region for all",
            )
    places = [(each.name, each.account, _stacks(each, tools)) for each in promoted]
    ours = [tools_file.DOCS_STACK, tools_file.PIPELINES_STACK, tools_file.PREVIEWS_STACK]
    for first, second in combinations([*places, ("tools", tools.account, ours)], 2):
        if first[1] == second[1]:
            yield from _not_apart(first, second)


def _stacks(environment: Environment, tools: Tools) -> list[str]:
    """What the names of an environment's stacks are, or begin with."""
    payments = environment.stack_pattern.removesuffix("-*")
    return [tools.bootstrap_of(environment.name), environment.network_stack, payments]


def _not_apart(first: tuple[str, str, list[str]], second: tuple[str, str, list[str]]) -> Iterator[Problem]:
    """Yield each pair of names in one account of which one begins with the other."""
    for name, other in product(first[2], second[2]):
        shorter, longer = sorted((name, other), key=len)
        if f"{longer}-".startswith(f"{shorter}-"):
            owner = second if other == longer else first
            yield Problem(
                f"{owner[0]}: {longer}",
                f"begins with {shorter}, which is {(first if owner is second else second)[0]}'s in the same "
                f"account {owner[1]}: roles and permissions are told apart by what names begin with. Choose "
                "another name",
            )
