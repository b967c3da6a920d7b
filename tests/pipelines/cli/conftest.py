from __future__ import annotations

import pytest

from pipelines.aws import accounts
from pipelines.cli import local_aws
from tests.console.account import ORDER, Account


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account that every command reaches, with one order."""
    made = Account()
    made.api = {"/orders/order-1": ORDER, "/orders/order-1/failures": {"failures": []}}
    made.api["/orders/order-2/failures"] = {"failures": []}
    for part, empty in (("history", "history"), ("reservation", "lines"), ("deliveries", "deliveries")):
        made.api[f"/orders/order-1/{part}"] = {empty: []}
    made.api["/orders/order-1/payment"] = {"state": "charged"}
    monkeypatch.setattr(local_aws, "connect", lambda *_: made)
    monkeypatch.setattr(accounts, "connect_tools", lambda *_: made)
    for name in ("BRANCH_INSPECTION_ROLE", "PAYMENTS_ENVIRONMENT", "PAYMENTS_STACK", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return made
