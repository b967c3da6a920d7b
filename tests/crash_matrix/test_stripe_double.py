"""The double keeps the contract that the local gateway and Stripe's test mode keep, by the same tests."""

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from payment_data.payment_methods.stripe_gateway import StripeGateway
from tests.crash_matrix.stripe_double import StripeDouble
from tests.integration.card_gateway.accounts import Account
from tests.integration.card_gateway.conftest import any_order, any_way, desk  # noqa: F401 - fixtures
from tests.integration.card_gateway.test_contract import *  # noqa: F403 - the contract
from tests.integration.conftest import api, db, shared_database  # noqa: F401 - fixtures

URL = "https://stripe.invalid"


class Wire(stripe.HTTPClient):
    """Stripe's client, straight to the double."""

    name = "double"

    def __init__(self, double: StripeDouble) -> None:
        super().__init__()
        self._double = double

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, dict[str, str]]:
        status, body = self._double.request(method.upper(), url, post_data, dict(headers))
        return json.dumps(body), status, {}


@pytest.fixture(scope="module")
def account() -> Account:
    double = StripeDouble(lambda: datetime.datetime.now(datetime.UTC), datetime.timedelta(seconds=0.2))
    client = stripe.StripeClient("sk_test_double", base_addresses={"api": URL}, http_client=Wire(double))
    return Account(client, URL, "sk_test_double", is_stripe=False)


@pytest.fixture(scope="module")
def gateway(account: Account) -> Iterator[StripeGateway]:
    opened = StripeGateway(lambda fresh=False: account.key, account.url)
    opened._client = lambda key: account.client.v1  # type: ignore[method-assign] # the double has no socket
    yield opened
    opened.close()
