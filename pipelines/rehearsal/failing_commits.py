"""Commits that must not reach production, each broken where no check before the deployment can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

_COURIER: Final = "lambdas/arrange_delivery/handler.py"
_FUNCTIONS: Final = "templates/capabilities/functions.py"
_ADDED: Final = "    template.add_resource(function)\n"
_IMPORT: Final = "from payment_data import metrics\n"
_DELIVER: Final = "    arranged = api.deliver("


@dataclass(frozen=True, slots=True)
class FailingRelease:
    """A release that must fail.

    Attributes:
        name: What it is called.
        story: What is wrong with it.
        file: The file that its commit changes; nothing for a release that is fine but rejected.
        replaced: What is replaced in it, and by what.
        stage: The stage that must fail.
        action: The action that must fail in it.
        answer: What is said at the gate, where it comes that far.
    """

    name: str
    story: str
    file: str
    replaced: Mapping[str, str]
    stage: str
    action: str
    answer: tuple[bool, str] = (True, "approved as `rehearsal`")

    def files(self) -> dict[str, str]:
        """Return the files of its commit by path, whatever an earlier failing commit left in them.

        Raises:
            Refused: The source does not hold what this release replaces in it.
        """
        broken = {name: (ROOT / name).read_text(encoding="utf-8") for name in (_COURIER, _FUNCTIONS)}
        for old, new in self.replaced.items():
            if old not in broken[self.file]:
                raise Refused(f"{self.file} does not hold what {self.name} replaces: {old.strip()}")
            broken[self.file] = broken[self.file].replace(old, new)
        return broken


def _no_courier(account: str) -> dict[str, str]:
    """Return code that rejects every delivery of one account, as a table that forgot it would."""
    rejects = f"""    if ":{account}:" in order.execution:
        raise DeliveryRejected("no courier serves this account")
"""
    return {
        _IMPORT: f"{_IMPORT}from payment_data.errors import DeliveryRejected\n",
        _DELIVER: rejects + _DELIVER,
    }


REJECTED: Final = (False, "the shop has its sale today; release it tomorrow")
CASES: Final = (
    FailingRelease(
        "smoke fails in staging",
        "no delivery is arranged in staging's account",
        _COURIER,
        _no_courier("222222222222"),
        "Staging",
        "Smoke",
    ),
    FailingRelease(
        "smoke fails in production",
        "no delivery is arranged in production's account, which only orders there can show",
        _COURIER,
        _no_courier("333333333333"),
        "Production",
        "Smoke",
    ),
    FailingRelease(
        "the template fails to deploy",
        "functions reserve more concurrent executions than the account has, which Lambda alone refuses",
        _FUNCTIONS,
        {
            _ADDED: f"""{_ADDED}    if environment.name == "staging":
        function.ReservedConcurrentExecutions = 950
"""
        },
        "Staging",
        "Deploy-payments",
    ),
    FailingRelease(
        "the approval is rejected", "nothing is wrong with it", "", {}, "Approve", "Approve", REJECTED
    ),
)
