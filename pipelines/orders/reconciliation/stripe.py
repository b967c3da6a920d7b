"""Does Stripe hold what our records say, and nothing that they do not?

Its own list of PaymentIntents is one side: one that moved money must be the payment of the order that it
names. Our records are the other: what is captured must be there, less what later refunds and disputes took
away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from payment_data.errors import OrderNotFound
from payment_data.payment_methods.stripe_amounts import from_stripe
from pipelines.core.refusals import Refused
from pipelines.orders.reconciliation.differences import Difference
from pipelines.orders.reconciliation.order_legs import taken_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from payment_data.client import DataApi
    from pipelines.aws.accounts import Aws

_UNSETTLED: Final = ("intent", "processing")
"""Stripe may be ahead of the record; the workflow is not done with it."""
_WITHDRAWING: Final = ("needs_response", "under_review", "lost")
"""Statuses of disputes that have taken the money; an inquiry has not.
https://docs.stripe.com/api/disputes/object
"""
_SKEW: Final = timedelta(hours=1)
_PAGE: Final = 100


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


class StripePayment(NamedTuple):
    """A PaymentIntent as Stripe has it; amounts in minor units.

    Attributes:
        id: pi_….
        order_id: The order that its metadata names.
        status: Stripe's word (https://docs.stripe.com/payments/paymentintents/lifecycle).
        received: What was captured.
        refunded: What was given back, refunds that failed not counted.
        disputed: What disputes took away.
    """

    id: str
    order_id: str | None
    status: str
    received: int
    refunded: int
    disputed: int

    @property
    def kept(self) -> int:
        """Return what Stripe holds of it for us."""
        return self.received - self.refunded - self.disputed

    def __str__(self) -> str:
        disputed = f", {self.disputed} disputed" if self.disputed else ""
        return f"{self.kept} ({self.status}: {self.received} received, {self.refunded} refunded{disputed})"


class StripeReader(Protocol):
    """Where PaymentIntents can be looked at."""

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        """Yield the stack's PaymentIntents made since a moment, newest first."""
        ...

    def payment(self, intent_id: str) -> StripePayment | None:
        """Return a PaymentIntent, None if Stripe does not know it."""
        ...


@dataclass(slots=True)
class RecordedPayments:
    """What our records say of PaymentIntents, gathered while the orders are walked.

    Attributes:
        since: When the oldest of their orders was created.
        expected: PaymentIntent to the order, what must be held, and the record in words.
        unsettled: PaymentIntents that may have moved on since.
    """

    since: datetime | None = None
    expected: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)

    def add(self, order: dict[str, Any]) -> None:
        """Take up the payments of an order of `GET /audit/orders`."""
        for payment in order["payments"]:
            intent = payment.get("payment_intent")
            if intent is None:
                continue
            created = datetime.fromisoformat(order["created_at"])
            self.since = min(self.since or created, created)
            if payment["state"] in _UNSETTLED:
                self.unsettled.add(intent)
                continue
            kept = payment["amount"] if payment["state"] == "captured" else 0
            kept -= sum(taken_away(adjustment) for adjustment in payment.get("adjustments", ()))
            words = f"payment {payment['attempt']} is {payment['state']}"
            self.expected[intent] = (order["order_id"], kept, words)


def stripe_differences(
    recorded: RecordedPayments, reader: StripeReader, since: datetime | None = None
) -> Iterator[Difference]:
    """Yield what Stripe and our records say differently.

    Args:
        recorded: The payments of all orders.
        reader: Stripe.
        since: From when on Stripe's list is read; from the oldest order with a PaymentIntent if None, and all
            that is older is asked for one by one.
    """
    missing = dict(recorded.expected)
    start = since or (recorded.since or datetime.now(UTC)) - _SKEW
    for payment in reader.payments(start):
        if payment.id in recorded.unsettled or (payment.order_id or "").startswith("smoke-"):
            continue
        if payment.id in missing:
            yield from _compared(payment, *missing.pop(payment.id))
        elif payment.kept:
            what = "Stripe holds money of a PaymentIntent that no record of an order has"
            yield Difference(payment.id, payment.order_id, what, 0, str(payment))
    for intent, (order_id, kept, words) in missing.items():
        single = reader.payment(intent)
        if single is None:
            yield Difference(intent, order_id, f"{words}, at Stripe it is unknown", kept, "unknown")
        else:
            yield from _compared(single, order_id, kept, words)


def _compared(payment: StripePayment, order_id: str, kept: int, words: str) -> Iterator[Difference]:
    if payment.kept != kept:
        yield Difference(
            payment.id, order_id, f"{words}, at Stripe it is {payment.status}", kept, str(payment)
        )
    elif payment.order_id not in (None, order_id):
        what = "its PaymentIntent names another order"
        yield Difference(payment.id, order_id, what, order_id, payment.order_id)


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
            if dispute.status in (*_WITHDRAWING, "won"):
                moves.append(MoneyMove(dispute.id, "dispute", amount))
            if dispute.status == "won":
                moves.append(MoneyMove(f"{dispute.id}-won", "dispute_won", amount))
        return moves

    def _payment(self, intent: Any) -> StripePayment:
        charge, currency = intent.latest_charge, intent.currency
        received = intent.amount_received if intent.status == "succeeded" else 0
        refunded = charge.amount_refunded if charge else 0
        disputes = self._disputes(intent.id) if charge and charge.disputed else []
        disputed = sum(dispute.amount for dispute in disputes if dispute.status in _WITHDRAWING)
        amounts = (from_stripe(amount, currency) for amount in (received, refunded, disputed))
        return StripePayment(intent.id, _metadata(intent).get("order_id"), intent.status, *amounts)

    def _disputes(self, intent_id: str) -> list[Any]:
        disputes: list[Any] = self._v1.disputes.list({"payment_intent": intent_id, "limit": _PAGE}).data
        return disputes


def _metadata(intent: Any) -> dict[str, str]:
    return intent.metadata.to_dict() if intent.metadata else {}


def missing_adjustments(payment: dict[str, Any], moves: list[MoneyMove]) -> list[MoneyMove]:
    """Return the adjustments that a payment lacks, so that record and Stripe agree.

    Of a captured payment the workflow gave nothing back, so every refund is somebody else's. Of a refunded
    one the workflow's own refunds are known, and only their failure is news.

    Args:
        payment: The payment, as the data API has it.
        moves: What Stripe lists of it, each refund or dispute before what undid it.
    """
    recorded = {entry["id"] for entry in payment.get("adjustments", ())}
    failed = {move.id.removesuffix("-failed") for move in moves if move.kind == "refund_failed"}
    given_back = any(move.kind == "refund" and move.id not in failed for move in moves)
    missing = []
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
