"""The flash sale of the design: 2,000 orders for 500 pieces, or for an account that pays for 500."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import contest, flash_sale
from tests.benchmarks.flash_sale import Sale

if TYPE_CHECKING:
    from data_api.storage.database import Db


@pytest.mark.parametrize("one_account", [False, True], ids=["product", "account"])
def test_two_thousand_orders_for_five_hundred(db: Db, *, one_account: bool) -> None:
    # Given
    sale = Sale(orders=2_000, enough=500, one_account=one_account)
    # When
    result = flash_sale.hold(sale)
    # Then
    flash_sale.check(sale, result, db)
    name = f"flash-sale-{'account' if one_account else 'product'}"
    contest.report(
        name,
        {
            "orders": sale.orders,
            "sold": result.ends["COMPLETED"],
            "refused": sale.orders - result.ends["COMPLETED"],
            "callers": flash_sale.CALLERS,
            "server_errors": sum(n for status, n in result.statuses.items() if status >= 500),
            "requests": result.statuses.total(),
            "seconds": round(result.seconds, 1),
            "orders_per_second": round(sale.orders / result.seconds, 1),
        },
    )
