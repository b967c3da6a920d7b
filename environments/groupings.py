"""Which environments may share an account and a region, and which may not yet.

What does not work is refused before anything is deployed, with the reason.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from environments.files import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from environments.schema import Environment
    from environments.tools import Tools

PROMOTED: Final = ("branch", "staging", "prod")
"""The environments that pipelines deploy to."""


def problems(environments: Mapping[str, Environment], tools: Tools) -> Iterator[Problem]:
    """Yield what does not work in how environments and tools are spread over accounts and regions.

    Args:
        environments: The environments that pipelines deploy to, by name.
        tools: The tools account.
    """
    promoted = [environments[name] for name in PROMOTED if name in environments]
    for first, second in combinations(promoted, 2):
        if first.account == second.account:
            yield Problem(
                f"{second.name}: account",
                f"{second.account} is {first.name}'s, too: an account has one bootstrap stack, whose roles "
                f"are one environment's and reach every function, API and key of the account. Give "
                f"{second.name} an account "
                "of its own",
            )
    for environment in promoted:
        if environment.name == "branch" and environment.account == tools.account:
            yield Problem(
                "branch: account",
                f"{tools.account} is the tools' account, too: what a branch deploys would stand beside the "
                f"pipelines "
                "that release to production. Give branches an account of their own",
            )
        if environment.region != tools.region:
            yield Problem(
                f"{environment.name}: region",
                f"is {environment.region}, and the pipelines are in {tools.region}: an action in another "
                f"region needs "
                "an artifact store there, and there is one. Choose one region for all",
            )
