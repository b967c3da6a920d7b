"""An embedded AWS's local Stripe: there when called, back when killed, gone when stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import stripe

from embedded_aws.card_gateway.gateway import TEST_KEY
from embedded_aws.card_gateway.on_demand import OnDemand
from tests import processes
from tests.waiting import wait_until


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[OnDemand]:
    listening = OnDemand(tmp_path / "card-gateway")
    yield listening
    with contextlib.suppress(OSError):
        listening.stop()


@pytest.fixture
def client(cards: OnDemand) -> Iterator[stripe.StripeClient]:
    # It waits as long as a process takes to start on a busy machine; the steps' own time-outs are not tried.
    http = stripe.RequestsClient(timeout=60)
    yield stripe.StripeClient(TEST_KEY, base_addresses={"api": cards.url}, http_client=http)
    http.close()  # type: ignore[no-untyped-call]  # Stripe's


def _processes(cards: OnDemand) -> list[psutil.Process]:
    return processes.below(os.getpid(), lambda process: str(cards._root) in " ".join(process.cmdline()))


def _paid(client: stripe.StripeClient) -> stripe.PaymentIntent:
    made = client.v1.payment_intents.create(
        {"amount": 100, "currency": "eur", "payment_method": "pm_card_visa"}
    )
    return client.v1.payment_intents.confirm(made.id)


@pytest.fixture
def zombie() -> Iterator[None]:
    """A child of this process that has ended, and that nobody has waited for."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        yield


@pytest.mark.usefixtures("zombie")
def test_it_is_started_by_the_first_request(cards: OnDemand, client: stripe.StripeClient) -> None:
    # Given
    assert _processes(cards) == []
    # When
    answer = _paid(client)
    # Then
    assert answer.status == "succeeded"
    assert len(_processes(cards)) == 1


def test_a_killed_one_is_back_with_what_it_answered(cards: OnDemand, client: stripe.StripeClient) -> None:
    # Given
    before = _paid(client)
    (process,) = _processes(cards)
    os.kill(process.pid, signal.SIGKILL)
    # (nobody but the one who started it may wait for it as a child: how it ended would be lost to the other)
    wait_until(lambda: process not in _processes(cards), "the end of the killed process")
    # When
    # (a request that meets the dying process is answered 503, which clients repeat)
    found = client.v1.payment_intents.retrieve(before.id, options={"max_network_retries": 5})
    # Then
    assert found.status == "succeeded"
    assert [one.pid for one in _processes(cards)] != [process.pid]


def test_a_stopped_one_leaves_no_process_and_no_socket(cards: OnDemand, client: stripe.StripeClient) -> None:
    # Given
    _paid(client)
    # When
    cards.stop()
    # Then
    assert _processes(cards) == []
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(cards.url, timeout=1)  # noqa: S310 - our own http URL


def test_one_that_cannot_be_started_answers_that_and_does_not_hang(
    cards: OnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("CARD_GATEWAY_PYTHON", "/nowhere/python")
    # When
    with pytest.raises(OSError, match="503"):
        urllib.request.urlopen(cards.url, timeout=5)  # noqa: S310 - our own http URL
    # Then the log says why
    assert "/nowhere/python" in (cards._root / "gateway.log").read_text()


def test_a_refusal_reaches_whoever_sends_more_than_is_read(
    cards: OnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a gateway that cannot be started, and a caller whose request is still on its way
    monkeypatch.setenv("CARD_GATEWAY_PYTHON", "/nowhere/python")
    with socket.create_connection(("127.0.0.1", cards.port), timeout=10) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)
        wait_until((cards._root / "gateway.log").exists, "the refusal")
        # When it goes on sending after the answer was given, and then reads
        caller.sendall(b"x" * 50_000)
        answer = caller.recv(65536)
    # Then the answer is there, and the connection was not reset
    assert answer.startswith(b"HTTP/1.1 503 ")
