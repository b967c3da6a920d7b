"""Commits whose builds skip what takes a minute; every other step of theirs is the real one."""

from __future__ import annotations

import re
from typing import Final

from pipelines.core.repository import ROOT

MAKEFILE: Final = "Makefile"
_SMALL: Final = {
    "check": "$(BIN)/pytest -q tests/unit/lambdas/test_money.py --cov=payment_data"
    " --cov-report=xml:reports/coverage.xml --junitxml=reports/tests.xml",
    "money-path": "$(BIN)/pytest -q tests/unit/lambdas/test_money.py --junitxml=reports/money-path.xml",
    "audit": "cp reports/tests.xml reports/audit.xml",
    "docs": "mkdir -p site/operations && echo '<h1>Rehearsed</h1>' > site/index.html"
    " && echo '<!-- measures --><!-- /measures -->' > site/operations/delivery.html",
}


def files(page: str = "page", *, real: str = "") -> dict[str, str]:
    """A commit's files: the Makefile with small recipes, whose docs have this page beside the ones needed.

    Args:
        page: The page's name.
        real: A target that keeps its own recipe.

    Raises:
        ValueError: The Makefile has no such target any more.
    """
    makefile = (ROOT / MAKEFILE).read_text(encoding="utf-8")
    for target, recipe in {**_SMALL, "docs": f"{_SMALL['docs']} && touch site/{page}.html"}.items():
        if target == real:
            continue
        makefile, found = re.subn(rf"(?m)^({target}:.*\n)(\t.*\n)+", rf"\g<1>\t@{recipe}\n", makefile)
        if not found:
            raise ValueError(f"the {MAKEFILE} has no target {target}")
    return {MAKEFILE: makefile}
