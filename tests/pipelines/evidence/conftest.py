"""A release's evidence, to be seeded with what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.evidence.commits import Commit
from pipelines.evidence.evidence import Evidence
from pipelines.evidence.reports import Suite
from pipelines.evidence.stack_changes import Drift
from pipelines.orders.smoke import SmokeCheck, SmokeReport

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Evidence of a release that is fine, but for what is given."""
    fine = Evidence(
        commit="0123456789abcdef0123456789abcdef01234567",
        execution="11111111-2222-3333-4444-555555555555",
        at=AT,
        stacks=[],
        risks=[],
        tests=Suite(ran=412, skipped=3, failed=(), seconds=80.0),
        coverage=0.914,
        smoke=SmokeReport("arn:smoke", passed=True, checks=[SmokeCheck("happy order", True, "stock 5 to 4")]),
        commits=[Commit("0123456789abcdef", "Add a thing", AT)],
        drift=[Drift("payments-prod")],
        digests={"packages/reserve_products.zip": "a" * 64},
        dollars=0.0,
    )

    def but(**changes: Any) -> Evidence:
        return replace(fine, **changes)

    return but
