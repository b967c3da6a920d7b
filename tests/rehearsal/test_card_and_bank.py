"""Stacks whose orders are paid by card and from a bank account, at the embedded AWS's own Stripe."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
import stripe

from embedded_aws.iam import call_log
from payment_data.errors import InvalidRequest
from payment_data.payment_methods.stripe_http import PooledHttp
from pipelines.aws import embedded_stripe, executions
from pipelines.orders import smoke
from tests import processes
from tests.least_privilege.audit import audit, grants
from tests.least_privilege.audit.unexercised_resources import UNEXERCISED
from tests.rehearsal import logged_data
from tests.rehearsal.paying import paying_by
from tests.rehearsal.shop import Shop
from tests.rehearsal.sweeping import abandon, await_settlement, await_state, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws
    from pipelines.orders.payment_stack import PaymentStack

_KEY: Final = "sk_test_canary_4f1d"
_CUSTOMERS: Final = {"card": "pm_card_visa", "bank_account": "pm_success_de"}
_POOR: Final = {"card": "pm_card_chargeDeclinedInsufficientFunds", "bank_account": "pm_insufficientFunds_de"}
_NAME: Final = "Canary Nightingale"
_ADDRESS: Final = "17 Canary Wharf"
_CANARIES: Final = (
    _KEY,
    "canary_4f1d",
    *_CUSTOMERS.values(),
    *_POOR.values(),
    _NAME,
    "Nightingale",
    _ADDRESS,
    "Wharf",
)


@dataclass(frozen=True)
class Till:
    """A shop, how it is paid, and the gateway's side of it."""

    shop: Shop
    method: str
    gateway: stripe.StripeClient

    def customer(self) -> str:
        return self.shop.user(balance=10_000, **{self.method: _CUSTOMERS[self.method]})

    def poor_customer(self) -> str:
        return self.shop.user(balance=10_000, **{self.method: _POOR[self.method]})

    def give_up(self, order_id: str) -> None:
        """Leave an order whose PaymentIntent was made and never confirmed, and see it undone."""
        api, arn = self.shop.stack.api, executions.arn_of(self.shop.stack.workflow, order_id)
        asked = {"execution": arn, "deadline": (datetime.now(UTC) + timedelta(minutes=15)).isoformat()}
        api.reserve(order_id, method=self.method, **asked)
        api.open_payment(order_id, 1, method=self.method, **asked)
        intent = self.gateway.v1.payment_intents.create(
            {"amount": 100, "currency": "eur", "metadata": {"order_id": order_id}}
        )
        api.follow_payment(order_id, 1, "intent", {"execution": arn, "payment_intent": intent.id})
        abandon(self.shop.stack, order_id, "NEW")
        await_state(self.shop.stack, order_id, "FAILED")
        assert self.gateway.v1.payment_intents.retrieve(intent.id).status == "canceled"

    def kept(self, order_id: str) -> int:
        """What the gateway took for an order and has not given back."""
        found = self.gateway.v1.payment_intents.list({"limit": 100}).data
        intents = [intent for intent in found if intent.metadata and intent.metadata["order_id"] == order_id]
        refunds = self.gateway.v1.refunds
        given_back = [
            refund.amount for one in intents for refund in refunds.list({"payment_intent": one.id}).data
        ]
        return sum(intent.amount_received for intent in intents) - sum(given_back)


@pytest.fixture(scope="module")
def gateway(here: Aws) -> Iterator[stripe.StripeClient]:
    http = PooledHttp()
    assert here.card_gateway
    yield stripe.StripeClient(_KEY, base_addresses={"api": here.card_gateway}, http_client=http)
    http.close()


@pytest.fixture(scope="module", params=["card", "bank_account"])
def till(
    request: pytest.FixtureRequest,
    here: Aws,
    deploy: Callable[[str, Aws], PaymentStack],
    gateway: stripe.StripeClient,
) -> Till:
    embedded_stripe.ensure_secret(here.client("secretsmanager"), _KEY)
    there = replace(here, environment=paying_by(request.param, here.environment))
    return Till(Shop(deploy(f"payments-{request.param.split('_')[0]}", there)), request.param, gateway)


def test_an_order_is_paid_at_the_gateway_and_delivered(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    order = shop.order(ada, (tea, 1999, 2))
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.states[-1]) == ("SUCCEEDED", "Order placed")
    assert (till.kept(order), shop.available(tea), shop.balance(ada)) == (3998, 3, 10_000)
    assert shop.stack.api.payment(order)["state"] == "captured"


def test_a_declined_order_fails_with_the_gateways_reason_and_holds_nothing(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.poor_customer()
    order = shop.order(ada, (tea, 1999, 2))
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.error, end.cause) == ("FAILED", "PaymentDeclined", "insufficient_funds")
    assert (till.kept(order), shop.available(tea)) == (0, 5)
    assert shop.stack.api.payment(order)["reason"] == "insufficient_funds"


def test_an_order_that_cannot_be_delivered_is_given_back_at_the_gateway(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    order = shop.order(ada, (tea, 1999, 2), address=" ")
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.error) == ("FAILED", "DeliveryRejected")
    assert (till.kept(order), shop.available(tea)) == (0, 5)
    assert shop.stack.api.payment(order)["state"] == "refunded"


def test_nothing_secret_or_personal_is_left_behind(till: Till, embedded: Instance) -> None:
    # Given a customer with a name, an address, and a token at the gateway
    shop = till.shop
    tea = shop.product(price=100, available=5)
    people = [
        shop.user(balance=10_000, username=_NAME, **{till.method: token[till.method]})
        for token in (_CUSTOMERS, _POOR)
    ]
    with logged_data.events(shop.stack.aws) as events:
        # When orders are paid, declined, given back after the charge, and asked for what they are not
        placed = [
            shop.order(people[0], (tea, 100, 1), address=_ADDRESS),
            shop.order(people[1], (tea, 100, 1), address=_ADDRESS),
            shop.order(people[0], (tea, 100, 9), address=_ADDRESS),
        ]
        ends = [shop.place(order).error for order in placed]
        assert ends == ["", "PaymentDeclined", "OutOfStock"]
        with pytest.raises(InvalidRequest):
            shop.stack.api.put_user(shop.id("user"), {"username": [_NAME], "balance": _ADDRESS})
        said = logged_data.everything(shop.stack.aws, embedded.root)
    said["events"] = "\n".join(events)
    # Then what they left behind tells of them, and not who they are, where they live and what they pay with
    for where in ("logs", "executions", "events"):
        assert all(order in said[where] for order in placed), where
    assert all(said.values())
    found = {where: [canary for canary in _CANARIES if canary in text] for where, text in said.items()}
    assert {where: canaries for where, canaries in found.items() if canaries} == {}


def test_smoke_passes(till: Till) -> None:
    report = smoke.run(till.shop.stack)
    assert [check for check in report.checks if not check.ok] == []
    assert report.passed


def test_an_order_is_paid_though_the_gateway_was_killed(till: Till, embedded: Instance) -> None:
    # Given a gateway that was used and dies
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    shop.place(shop.order(ada, (tea, 1999, 1)))
    (gateway,) = processes.below(embedded.pid, lambda it: "card_gateway.server" in " ".join(it.cmdline()))
    gateway.kill()
    # When another order is placed
    order = shop.order(ada, (tea, 1999, 1))
    end = shop.place(order)
    # Then
    assert end.status == "SUCCEEDED"
    assert till.kept(order) == 1999


def test_no_permission_is_dead(till: Till, embedded: Instance) -> None:
    # Given everything that a stack does: orders paid, declined, given back after the charge, and swept
    shop = till.shop
    assert smoke.run(shop.stack).passed
    tea = shop.product(price=100, available=5)
    for user, address in ((till.poor_customer(), "1 Row"), (till.customer(), " ")):
        shop.place(shop.order(user, (tea, 100, 1), address=address))
    abandon(shop.stack, left := shop.order(till.customer(), (tea, 100, 1)), "RESERVED")
    await_state(shop.stack, left, "FAILED")
    sweep(shop.stack)
    till.give_up(shop.order(till.customer(), (tea, 100, 1)))
    await_settlement(shop.stack)
    # When what it did is held against what it may
    granted, done = grants.of_stack(shop.stack.aws, shop.stack.name), call_log.read(embedded.root)
    # Then it may do nothing else
    assert audit.unused_permissions(granted, done) == []
    # And a card's payments reach nothing of what is said to be unreached
    if till.method == "card":
        dead = [one.what for one in audit.unused_permissions(granted, done, unexercised=())]
        assert all(fnmatch.filter(dead, entry.pattern) for entry in UNEXERCISED)
