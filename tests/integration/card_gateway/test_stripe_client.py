"""The client: which failures it tells apart, which keys it uses, and what it never says."""

import logging
import socket
import threading
from functools import partial

import pytest

from payment_data.errors import OutcomeUnknown, Problem
from payment_data.payment_methods.stripe_gateway import StripeGateway
from payment_data.payment_methods.stripe_intents import Refused
from tests.integration.card_gateway.accounts import Account, unique
from tests.integration.card_gateway.orders import Order


def test_a_rotated_key_is_read_again(account: Account, order: Order) -> None:
    # Given
    keys = iter(["sk_test_revoked_canary", account.key])
    read: list[bool] = []

    def secret(*, fresh: bool = False) -> str:
        read.append(fresh)
        return next(keys)

    rotated = StripeGateway(secret, account.url)
    # When
    made = rotated.create(unique(), {"amount": 1999, "currency": "eur"})
    # Then
    assert made.status == "requires_payment_method"
    assert read == [False, True]
    rotated.close()


def test_neither_key_nor_token_gets_into_a_log_or_an_error(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level(logging.INFO)
    canaries = ("sk_test_revoked_canary", "pm_canary_0002", account.key)
    refusing = StripeGateway(lambda fresh=False: canaries[0], account.url)
    asking = StripeGateway(lambda fresh=False: account.key, account.url)
    # When
    payment = {"amount": 1999, "currency": "eur"}
    asked = [
        partial(refusing.retrieve, "pi_1"),
        partial(asking.retrieve, "pi_1"),
        partial(asking.confirm, "pi_1", {"payment_method": canaries[1]}),
        partial(asking.create, unique(), {**payment, "payment_method": canaries[1]}),
        partial(asking.create, unique(), {**payment, canaries[1]: "1"}),
    ]
    said = []
    for ask in asked:
        with pytest.raises((Problem, Refused)) as refusal:
            ask()
        said.append(f"{refusal.value!r} {refusal.value.__cause__!r}")
    # Then
    everything = caplog.text + " ".join(said)
    assert not [canary for canary in canaries if canary in everything]
    refusing.close()
    asking.close()


def test_a_gateway_that_is_not_there_is_told_from_one_that_does_not_answer(order: Order) -> None:
    # Given
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = StripeGateway(lambda fresh=False: "sk_test_1", f"http://127.0.0.1:{port}")
        closing = threading.Thread(target=_hang_up, args=(silent,))
        closing.start()
        # When / Then
        with pytest.raises(OutcomeUnknown):
            slow.retrieve("pi_1")
        closing.join()
    gone = StripeGateway(lambda fresh=False: "sk_test_1", f"http://127.0.0.1:{port}")
    with pytest.raises(Problem) as problem:
        gone.retrieve("pi_1")
    assert type(problem.value).__name__ == "ApiUnavailable"
    slow.close()
    gone.close()


def _hang_up(server: socket.socket) -> None:
    """Take one request and answer nothing."""
    server.accept()[0].close()
