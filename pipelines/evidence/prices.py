"""The change of the fixed monthly cost: what is paid whether or not anybody uses the system.

Only resources with a fixed price count; calls, seconds and bytes are paid by use, and a
change set does not say how much of it there will be. The prices are public list prices, dated, in
docs/data/prices.json, which the docs read too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.evidence.stack_changes import StackChanges

LIST: Final[dict[str, Any]] = json.loads((ROOT / "docs" / "data" / "prices.json").read_text(encoding="utf-8"))
"""Prices with their date, region and currency."""
MONTHLY: Final[dict[str, float]] = LIST["standing"]
"""By type; an interface endpoint is in two zones, an alarm watches one metric."""


def difference(stacks: Iterable[StackChanges]) -> float:
    """Return the change of the fixed monthly cost in US dollars."""
    sign = {"Add": 1, "Remove": -1}
    changes = [change for stack in stacks for change in stack.changes]
    return sum(sign.get(change.action, 0) * MONTHLY.get(change.type, 0.0) for change in changes)
