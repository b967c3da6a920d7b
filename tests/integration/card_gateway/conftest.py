"""The gateways that the contract is held against: the local one, and Stripe's test mode when a key is given.

STRIPE_TEST_KEY=sk_test_… runs every test that takes `account` a second time, against the real Stripe.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from data_api.storage.database import Db
from embedded_aws.card_gateway import gateway as card_gateway
from payment_data.client import DataApi
from payment_data.payment_methods.stripe_gateway import StripeGateway
from payment_data.payment_methods.stripe_http import PooledHttp
from tests.integration.card_gateway.accounts import Account, connected, unique
from tests.integration.card_gateway.orders import BALANCES, BANK, CARD, Desk, Order, Way

_TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")
if _TEST_KEY and not _TEST_KEY.startswith(("sk_test_", "rk_test_")):
    raise pytest.UsageError(
        "STRIPE_TEST_KEY must be a key of Stripe's test mode: these tests charge and refund"
    )


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[card_gateway.RunningGateway]:
    """The local gateway, shared by every test that does not kill it."""
    running = card_gateway.start(tmp_path_factory.mktemp("card-gateway"))
    yield running
    running.stop()


@pytest.fixture(scope="session", params=["local", *(["stripe"] if _TEST_KEY else [])])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    if request.param == "stripe":
        url, key = stripe.DEFAULT_API_BASE, _TEST_KEY
    else:
        url, key = request.getfixturevalue("local").url, card_gateway.TEST_KEY
    http = PooledHttp()
    yield connected(url, key, http, is_stripe=request.param == "stripe")
    http.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[card_gateway.RunningGateway]:
    """A local gateway of this test's own, slow enough that requests meet."""
    running = card_gateway.start(tmp_path / "gateway", thinking_seconds=0.3)
    yield running
    running.stop()


@pytest.fixture
def own_account(own: card_gateway.RunningGateway) -> Iterator[Account]:
    http = PooledHttp()
    yield connected(own.url, card_gateway.TEST_KEY, http, is_stripe=False)
    http.close()


@pytest.fixture(scope="session")
def gateway(account: Account) -> Iterator[StripeGateway]:
    opened = StripeGateway(lambda fresh=False: account.key, account.url)
    yield opened
    opened.close()


@pytest.fixture
def desk(api: DataApi, db: Db, account: Account, gateway: StripeGateway) -> Desk:
    return Desk(api, db, account, gateway, unique("stack"))


@pytest.fixture(params=[*BALANCES, CARD, BANK], ids=lambda way: way.name)
def any_way(request: pytest.FixtureRequest) -> Way:
    """Every payment method in turn."""
    chosen: Way = request.param
    return chosen


@pytest.fixture
def any_order(desk: Desk, any_way: Way) -> Order:
    return Order(desk, any_way)


@pytest.fixture(params=[CARD, BANK], ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture
def order(desk: Desk, way: Way) -> Order:
    return Order(desk, way)
