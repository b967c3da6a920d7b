"""The local gateway as a process: it keeps what it answered, and says what it is not."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import stripe

import embedded_aws
from embedded_aws.card_gateway import faults
from embedded_aws.card_gateway import gateway as card_gateway
from embedded_aws.card_gateway.gateway import GatewayUnavailable
from embedded_aws.card_gateway.journal import ForeignJournal, Journal
from payment_data.errors import ApiUnavailable, OutcomeUnknown
from payment_data.payment_methods.stripe_gateway import problem
from payment_data.payment_methods.stripe_http import PooledHttp
from tests.integration.card_gateway.accounts import Account, connected, create, debit, settled, unique


def _order(url: str, key: str, order: int) -> stripe.PaymentIntent | None:
    """Pay one order as the payment method does; None if the gateway was gone."""
    http = PooledHttp()
    account = connected(url, key, http, is_stripe=False)
    try:
        made = create(account, idempotency_key=f"{order}:1:pi", metadata={"order_id": str(order)})
        try:
            return account.client.v1.payment_intents.confirm(made.id)
        except stripe.InvalidRequestError as refusal:
            return refusal.error.payment_intent if refusal.error else None
    except (ApiUnavailable, OutcomeUnknown):
        return None
    finally:
        http.close()


def test_a_kill_in_the_middle_of_many_payments_loses_nothing(tmp_path: Path) -> None:
    # Given orders that are being paid
    root, orders = tmp_path / "gateway", range(60)
    running = card_gateway.start(root, thinking_seconds=0.01)
    port = urlsplit(running.url).port
    with ThreadPoolExecutor(8) as pool:
        asked = {pool.submit(_order, running.url, card_gateway.TEST_KEY, order): order for order in orders}
        # When it is killed after a third of them
        answered = {}
        for place, done in enumerate(as_completed(asked)):
            if place == len(orders) // 3:
                running.kill()
            if intent := done.result():
                answered[asked[done]] = intent
    again = card_gateway.start(root, port)
    try:
        paid = {order: _order(again.url, card_gateway.TEST_KEY, order) for order in orders}
        # Then every order is paid, by the PaymentIntent that was answered at first
        assert 0 < len(answered) < len(orders)
        assert all(intent is not None and intent.status == "succeeded" for intent in paid.values())
        ids = {order: intent.id for order, intent in paid.items() if intent}
        assert {order: ids[order] for order in answered} == {o: intent.id for o, intent in answered.items()}
        # And by no other
        http = PooledHttp()
        account = connected(again.url, card_gateway.TEST_KEY, http, is_stripe=False)
        listed = account.client.v1.payment_intents.list({"limit": 100}).data
        assert sorted(intent.id for intent in listed) == sorted(ids.values())
        http.close()
    finally:
        again.stop()


def test_what_was_answered_is_still_there_after_a_stop_and_a_kill(tmp_path: Path) -> None:
    # Given a declined card, a refunded one and a debit under way
    root = tmp_path / "gateway"
    running = card_gateway.start(root)
    http = PooledHttp()
    account = connected(running.url, card_gateway.TEST_KEY, http, is_stripe=False)
    declined = create(account, "pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError):
        account.client.v1.payment_intents.confirm(declined.id)
    refunded = account.client.v1.payment_intents.confirm(create(account).id)
    refund = account.client.v1.refunds.create({"payment_intent": refunded.id, "amount": 1})
    debited, key = debit(account, "pm_success_de"), unique()
    kept = create(account, idempotency_key=key)
    # When
    running.kill()
    again = card_gateway.start(root, urlsplit(running.url).port)
    # Then
    intents = account.client.v1.payment_intents
    assert intents.retrieve(declined.id).status == "requires_payment_method"
    assert account.client.v1.refunds.retrieve(refund.id).amount == 1
    with pytest.raises(stripe.InvalidRequestError):
        account.client.v1.refunds.create({"payment_intent": refunded.id, "amount": refunded.amount})
    assert create(account, idempotency_key=key).id == kept.id
    assert settled(account, debited.id).status == "succeeded"
    again.stop()
    http.close()


@pytest.mark.parametrize("key", ["sk_test_revoked_1", "sk_live_1", "pk_test_1"])
def test_a_key_that_is_no_test_key_is_refused(local: card_gateway.RunningGateway, key: str) -> None:
    # Given
    http = PooledHttp()
    account = connected(local.url, key, http, is_stripe=False)
    # When
    with pytest.raises(stripe.AuthenticationError) as refusal:
        create(account)
    # Then
    assert key not in str(problem(refusal.value, "create"))
    assert key not in str(refusal.value)
    http.close()


def test_what_is_not_emulated_says_so(local: card_gateway.RunningGateway, account: Account) -> None:
    # When / Then
    if account.is_stripe:
        pytest.skip("Stripe has it")
    with pytest.raises(stripe.InvalidRequestError, match="not emulated here"):
        account.client.v1.payouts.list()


def test_a_taken_port_and_a_missing_installation_are_named(
    local: card_gateway.RunningGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # When / Then
    with pytest.raises(GatewayUnavailable, match="is taken"):
        card_gateway.start(tmp_path, urlsplit(local.url).port)
    monkeypatch.setenv("CARD_GATEWAY_PYTHON", str(tmp_path / "python"))
    with pytest.raises(GatewayUnavailable, match="there is no"):
        card_gateway.start(tmp_path)


def test_it_does_not_run_without_a_folder_or_a_place_to_listen(tmp_path: Path) -> None:
    python = str(card_gateway.installed_python())
    for given, missing in (("--port=0", "--root"), (f"--root={tmp_path}", "--port --socket")):
        command = [python, "-m", "embedded_aws.card_gateway.server", given]
        path = str(Path(embedded_aws.__file__).parents[1])
        ran = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False)
        assert (ran.returncode, missing in ran.stderr) == (2, True), ran.stderr


def test_its_own_fault_is_told_as_stripe_tells_one() -> None:
    # https://docs.stripe.com/api/errors
    fault = faults.broken()
    assert (fault.status, fault.body["error"]["type"], fault.executed) == (500, "api_error", True)


def test_a_gateway_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    # Given the state of another version
    (tmp_path / "journal.sqlite").write_bytes(
        b"no database at all, but long enough to look like a header" * 20
    )
    # When / Then
    with pytest.raises(GatewayUnavailable, match="file is not a database"):
        card_gateway.start(tmp_path)


def test_the_journal_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    file = tmp_path / "journal.sqlite"
    Journal(file).close()
    monkeypatch.setattr("embedded_aws.card_gateway.journal.VERSION", "2/localstripe-2")
    # When / Then
    with pytest.raises(ForeignJournal, match="remove it"):
        Journal(file)


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    # Given
    running = card_gateway.start(tmp_path)
    # When its parent's end of the pipe closes, as it does when the parent is killed
    assert running.process.stdin is not None
    running.process.stdin.close()
    # Then
    assert running.process.wait(10) == 0


def test_it_runs_on_the_loopback_interface_alone(local: card_gateway.RunningGateway) -> None:
    # When
    sockets = Path(f"/proc/{local.pid}/net/tcp")
    if not sockets.exists():
        pytest.skip(f"no {os.fspath(sockets)} here")
    port = f"{urlsplit(local.url).port:04X}"
    listening = [row.split() for row in sockets.read_text().splitlines() if row.split()[3] == "0A"]
    # Then
    assert [row[1] for row in listening if row[1].endswith(":" + port)] == ["0100007F:" + port]
