"""A flash sale, small enough for every day; `make bench` holds the one of 2,000 orders."""

import pytest

from data_api.storage.database import Db
from tests.benchmarks import flash_sale
from tests.benchmarks.flash_sale import Sale


@pytest.mark.parametrize("one_account", [False, True])
@pytest.mark.usefixtures("patient")
def test_exactly_what_there_is_gets_sold(quick_db: Db, *, one_account: bool) -> None:
    # Given orders for four times as much as there is
    sale = Sale(orders=160, enough=40, one_account=one_account)
    # When 16 callers place them at once
    result = flash_sale.hold(sale)
    # Then
    flash_sale.check(sale, result, quick_db)
