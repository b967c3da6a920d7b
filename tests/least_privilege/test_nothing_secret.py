"""Nothing that a promotion leaves behind tells who ordered, with what they paid, or a database's password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.least_privilege.planting import CANARIES

if TYPE_CHECKING:
    from tests.least_privilege.promoting import Promotions


def test_nothing_secret_or_personal_is_left_behind(promoted: Promotions) -> None:
    # Given everything that can be read after two releases, with orders and a change by hand between them
    left = promoted.left
    assert [where for where, text in left.items() if not text] == []
    # Then it tells of the orders, of what builds did and of what an approver was shown
    executions = left["branch: executions"] + left["prod: executions"]
    assert all(order in executions for order in promoted.orders)
    assert "Running command" in left["tools: logs"]
    assert re.search(r"Drift in production <span>[^<]*DataApiFunction", left["tools: objects"])
    # And of nobody, and of no password
    found = {where: [canary for canary in CANARIES if canary in text] for where, text in left.items()}
    assert {where: canaries for where, canaries in found.items() if canaries} == {}
