"""The evidence of a release that is fine, for tests to change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pipelines.build.check_cache import CheckRecord
from pipelines.evidence.commits import Commit
from pipelines.evidence.evidence import Evidence
from pipelines.evidence.money_path import CAUGHT, HUNTED, PAIRS, SINGLES, MoneyPath
from pipelines.evidence.reports import Suite
from pipelines.evidence.stack_changes import Drift
from pipelines.orders.smoke import SmokeCheck, SmokeReport

AT: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PROVEN: Final = MoneyPath(
    Suite(
        ran=2300,
        skipped=29,
        failed=(),
        seconds=900.0,
        folders={"crash_matrix": 100, "integration": 2200},
        properties={SINGLES: 9011, PAIRS: 180, HUNTED: 88, CAUGHT: 88},
        reasons={"needs a browser": 29},
    ),
    CheckRecord("abc", "2026-11-23T07:00:00+00:00", "MoneyPath:1", 500.0, "release", machine="x86_64"),
)
"""A proof of the whole money path."""

FINE: Final = Evidence(
    commit="0123456789abcdef0123456789abcdef01234567",
    execution="11111111-2222-3333-4444-555555555555",
    at=AT,
    stacks=[],
    risks=[],
    tests=Suite(ran=412, skipped=3, failed=(), seconds=80.0),
    coverage=0.914,
    money_path=PROVEN,
    smoke=SmokeReport("arn:smoke", passed=True, checks=[SmokeCheck("happy order", True, "stock 5 to 4")]),
    commits=[Commit("0123456789abcdef", "Add a thing", AT)],
    drift=[Drift("payments-prod")],
    digests={"packages/reserve_products.zip": "a" * 64},
    dollars=0.0,
)
