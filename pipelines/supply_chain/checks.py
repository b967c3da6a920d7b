"""Every check by name, in the order in which they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.build.package_manifest import PACKAGES
from pipelines.core.repository import ROOT
from pipelines.supply_chain import inventory, licences, secrets, static_analysis
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, CheckStatus

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS: Final[dict[str, Callable[[], CheckResult]]] = {
    "locks": lambda: inventory.check_locks(ROOT),
    "contents": lambda: inventory.check_contents(PACKAGES),
    "licences": lambda: licences.check(ROOT),
    "secrets": lambda: secrets.in_tree(ROOT),
    "history": lambda: secrets.in_history(ROOT),
    "code": lambda: static_analysis.check_code(ROOT),
    "advisories": lambda: inventory.check_advisories(ROOT),
    "templates": lambda: static_analysis.check_templates(static_analysis.of_repository()),
}


def run_check(name: str) -> CheckResult:
    """Run a check by name; one that could not look has the status `not checked`."""
    try:
        return CHECKS[name]()
    except CannotCheck as cannot:
        return CheckResult(CheckStatus.NOT_CHECKED, str(cannot))
