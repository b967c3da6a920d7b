"""A payment method is not dropped from an environment while an unfinished order was paid by it."""

from __future__ import annotations

import json

from payment_data.client import DataApi, Response
from pipelines.orders.orders import unlisted_methods


def _api(**orders: list[str | None]) -> DataApi:
    """Return a data API that lists orders by their state, each with how it is paid."""

    def answer(_: str, path: str, __: bytes | None) -> Response:
        state = path.partition("state=")[2].partition("&")[0]
        paid = [
            {"order_id": "o", "state": state} | ({"paid_by": by} if by else {})
            for by in orders.get(state, [])
        ]
        return Response(200, json.dumps({"orders": paid}).encode())

    return DataApi(answer)


def test_methods_of_unfinished_orders_that_are_not_listed_are_counted() -> None:
    api = _api(
        PAID=["card", "credit"], CANCELLING=["card"], NEEDS_ATTENTION=["bank_account"], RESERVED=[None]
    )
    assert unlisted_methods(api, ("credit",)) == {"card": 2, "bank_account": 1}
    assert unlisted_methods(api, ("credit", "card", "bank_account")) == {}


def test_orders_that_have_ended_keep_no_method() -> None:
    assert unlisted_methods(_api(COMPLETED=["card"], FAILED=["card"], NEW=[None]), ("credit",)) == {}
