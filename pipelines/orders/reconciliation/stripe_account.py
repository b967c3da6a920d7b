"""Stripe's API as reconciliation reads it, and what moved money there entered into the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from payment_data.errors import OrderNotFound
from payment_data.payment_methods.stripe_intents import WITHDRAWING, from_stripe
from pipelines.core.refusals import Refused
from pipelines.orders.reconciliation.stripe import StripePayment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from payment_data.client import DataApi
    from pipelines.aws.accounts import Aws
    from pipelines.orders.reconciliation.stripe import StripeReader

_PAGE: Final = 100
_SKEW: Final = timedelta(minutes=5)
"""Between Stripe's clock and Step Functions'."""


class MoneyMove(NamedTuple):
    """A refund or a dispute of a payment; `kind` is one of the data API's adjustments.

    Attributes:
        id: re_… or du_…; `-failed` or `-won` follows where it was undone.
        kind: refund, refund_failed, dispute or dispute_won.
        amount: Minor units.
    """

    id: str
    kind: str
    amount: int


class StripeAccount:
    """A `StripeReader` of Stripe's API, or what stands for it in an environment.

    Args:
        key: An API key that may read.
        api_base: Where the API is, Stripe's own if None.
        stack: The payments stack whose PaymentIntents are read; the account may have others'.
    """

    def __init__(self, key: str, api_base: str | None, stack: str) -> None:
        import stripe  # noqa: PLC0415 - a second to import, and few environments have it

        self._unknown = stripe.InvalidRequestError
        self._stack = stack
        bases: Any = {"api": api_base} if api_base else {}
        self._v1: Any = stripe.StripeClient(key, base_addresses=bases, max_network_retries=3).v1

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        """See `StripeReader`."""
        created = {"gte": int(since.timestamp())}
        params = {"limit": _PAGE, "created": created, "expand": ["data.latest_charge"]}
        for intent in self._v1.payment_intents.list(params).auto_paging_iter():
            if _metadata(intent).get("stack") == self._stack:
                yield self._payment(intent)

    def payment(self, intent_id: str) -> StripePayment | None:
        """See `StripeReader`."""
        try:
            return self._payment(self._v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))
        except self._unknown:
            return None

    def moves(self, intent_id: str, currency: str) -> list[MoneyMove]:
        """Return every refund and dispute of a PaymentIntent, as adjustments of its payment."""
        moves = []
        for refund in self._v1.refunds.list({"payment_intent": intent_id, "limit": _PAGE}).data:
            failed = refund.status in ("failed", "canceled")
            amount = from_stripe(refund.amount, currency)
            moves.append(MoneyMove(refund.id, "refund", amount))
            if failed:
                moves.append(MoneyMove(f"{refund.id}-failed", "refund_failed", amount))
        for dispute in self._disputes(intent_id):
            amount = from_stripe(dispute.amount, currency)
            if dispute.status in (*WITHDRAWING, "won"):
                moves.append(MoneyMove(dispute.id, "dispute", amount))
            if dispute.status == "won":
                moves.append(MoneyMove(f"{dispute.id}-won", "dispute_won", amount))
        return moves

    def _payment(self, intent: Any) -> StripePayment:
        charge, currency = intent.latest_charge, intent.currency
        received = intent.amount_received if intent.status == "succeeded" else 0
        refunded = charge.amount_refunded if charge else 0
        disputes = self._disputes(intent.id) if charge and charge.disputed else []
        disputed = sum(dispute.amount for dispute in disputes if dispute.status in WITHDRAWING)
        return StripePayment(
            intent.id,
            _metadata(intent).get("order_id"),
            intent.status,
            received=from_stripe(received, currency),
            refunded=from_stripe(refunded, currency),
            disputed=from_stripe(disputed, currency),
            currency=currency.upper(),
        )

    def _disputes(self, intent_id: str) -> list[Any]:
        disputes: list[Any] = self._v1.disputes.list({"payment_intent": intent_id, "limit": _PAGE}).data
        return disputes


def _metadata(intent: Any) -> dict[str, str]:
    return intent.metadata.to_dict() if intent.metadata else {}


def intent_of(account: StripeReader | None, order: dict[str, Any], since: datetime) -> str:
    """Return the one PaymentIntent that took an order's total, and of which nothing was refunded.

    Args:
        account: Stripe, none where the environment has no key for it.
        order: The order, as the data API has it.
        since: When its execution began.

    Raises:
        Refused: There is none, or another PaymentIntent took money for the order, too.
    """
    if account is None:
        raise Refused("The environment's file names no key for Stripe.")
    named = [payment for payment in account.payments(since - _SKEW) if payment.order_id == order["order_id"]]
    taken = [payment for payment in named if payment.received]
    whole = [
        payment.id
        for payment in taken
        if (payment.received, payment.refunded, payment.currency) == (order["total"], 0, order["currency"])
    ]
    if len(taken) == len(whole) == 1:
        return whole[0]
    held = ", ".join(f"{payment.id} {payment} {payment.currency}" for payment in taken) or "nothing"
    wanted = f"{order['total']} {order['currency']}"
    raise Refused(
        f"Order {order['order_id']} is over {wanted}, and at Stripe there is {held}.", "payments reconcile"
    )


def missing_adjustments(payment: dict[str, Any], moves: list[MoneyMove]) -> list[MoneyMove]:
    """Return the adjustments that a payment lacks, so that record and Stripe agree.

    Of a captured payment the workflow gave nothing back, so every refund is somebody else's. Of a refunded
    one the workflow's own refunds are known, and only their failure is news. Where it is refunded and Stripe
    knows no refund at all, a dispute had taken the money first: beside the dispute, the refund that never was
    is entered as one that failed.

    Args:
        payment: The payment, as the data API has it.
        moves: What Stripe lists of it, each refund or dispute before what undid it.
    """
    recorded = {entry["id"] for entry in payment.get("adjustments", ())}
    failed = {move.id.removesuffix("-failed") for move in moves if move.kind == "refund_failed"}
    given_back = any(move.kind == "refund" and move.id not in failed for move in moves)
    missing = []
    if payment["state"] == "refunded" and not any(move.kind.startswith("refund") for move in moves):
        first = next((move for move in moves if move.kind == "dispute"), None)
        never_made = first and MoneyMove(f"{first.id}-failed", "refund_failed", first.amount)
        missing += [never_made] if never_made and never_made.id not in recorded else []
    for move in moves:
        refund = move.id.removesuffix("-failed")
        dispute = move.kind in ("dispute", "dispute_won")
        elsewhere = payment["state"] == "captured" and (refund not in failed or refund in recorded)
        undone = payment["state"] == "refunded" and move.kind == "refund_failed" and not given_back
        if move.id not in recorded and (dispute or elsewhere or undone):
            missing.append(move)
            given_back = given_back or undone  # one failure explains that nothing was given back
    return missing


def adjust_order(api: DataApi, account: StripeAccount | None, order_id: str) -> list[MoneyMove]:
    """Record what moved money of an order's payment at Stripe without the workflow; return what was new.

    Raises:
        Refused: There is no such order, or it was not paid through Stripe.
    """
    try:
        payment = api.payment(order_id)
    except OrderNotFound as error:
        raise Refused(f"There is no order {order_id}.") from error
    if account is None or "payment_intent" not in payment:
        raise Refused(f"Order {order_id} has no payment at Stripe.")
    moves = missing_adjustments(payment, account.moves(payment["payment_intent"], payment["currency"]))
    for move in moves:
        api.adjust_payment(order_id, payment["attempt"], move.id, kind=move.kind, amount=move.amount)
    return moves


def stripe_account(aws: Aws, stack: str) -> StripeAccount | None:
    """Return the Stripe account that a stack uses, None where nothing is paid through one."""
    from pipelines.aws.embedded_stripe import with_stripe  # noqa: PLC0415 - looks for the card gateway beside an embedded AWS

    stripe = with_stripe(aws, aws.environment).stripe
    if stripe is None:
        return None
    secrets = aws.client("secretsmanager")
    key = secrets.get_secret_value(SecretId=stripe.secret_arn)["SecretString"]
    return StripeAccount(key, stripe.api_base, stack)
