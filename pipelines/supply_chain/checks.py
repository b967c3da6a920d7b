"""Every check by name, in the order in which they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.build.packaging import PACKAGES
from pipelines.core.repository import ROOT
from pipelines.supply_chain import advisories, code, contents, licences, locked, secrets, templates
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, CheckStatus

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS: Final[dict[str, Callable[[], CheckResult]]] = {
    "locks": lambda: locked.check(ROOT),
    "contents": lambda: contents.check(PACKAGES),
    "licences": lambda: licences.check(ROOT),
    "secrets": lambda: secrets.in_tree(ROOT),
    "history": lambda: secrets.in_history(ROOT),
    "code": lambda: code.check(ROOT),
    "advisories": lambda: advisories.check(ROOT),
    "templates": lambda: templates.check(templates.of_repository()),
}


def run_check(name: str) -> CheckResult:
    """Run a check by name; one that could not look has the status `not checked`."""
    try:
        return CHECKS[name]()
    except CannotCheck as cannot:
        return CheckResult(CheckStatus.NOT_CHECKED, str(cannot))
