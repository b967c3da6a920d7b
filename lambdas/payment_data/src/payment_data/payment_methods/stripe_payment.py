"""Paying with Stripe: the data API's record is the fence, the PaymentIntent's state is the truth about money.

Charge: insert the record → create the PaymentIntent → save its id → confirm → record the capture. A
PaymentIntent that was not saved is never confirmed, and one confirms at most once, so an answer that was
lost at any point is asked again. Undo: bar the record, then cancel at the gateway, whose answer is
authoritative and fences a capture that comes late, and only then decide on a refund.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from payment_data.errors import PaymentDeclined, PaymentPending, UnexpectedResponse
from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.stripe_intents import (
    Disputed,
    Intent,
    KeySpent,
    NotChargeable,
    PaymentIntents,
    Refused,
    charge_amount,
    to_stripe,
)
from payment_data.payment_methods.stripe_records import PaymentAttempt, PaymentRecords
from payment_data.timeouts import DATA_API_SECONDS, STRIPE_SECONDS, Budget

_STATES: Mapping[str, str] = {
    "captured": "charged",
    "intent": "pending",
    "processing": "pending",
}  # the protocol's words


class Means(NamedTuple):
    """What a shopper pays with.

    Attributes:
        name: the payment method's, as environments choose it.
        type: Stripe's, the only one its PaymentIntents allow.
        unsaved: parameters to confirm with where the gateway does not know the shopper, who is then asked for
            consent by the shop itself.
        currencies: the only ones it takes, all where empty.
    """

    name: str
    type: str
    unsaved: Mapping[str, Any]
    currencies: frozenset[str] = frozenset()


class StripePayment:
    """A `PaymentMethod` by Stripe's PaymentIntents.

    Args:
        means: what is paid with.
        records: where attempts are on record.
        gateway: Stripe.
        clock: seconds that only grow.
        stack: the payments stack, which its PaymentIntents are marked with.
    """

    def __init__(
        self,
        means: Means,
        records: PaymentRecords,
        gateway: PaymentIntents,
        clock: Callable[[], float] = time.monotonic,
        *,
        stack: str = "",
    ) -> None:
        self.name = means.name
        self._means = means
        self._records = records
        self._gateway = gateway
        self._clock = clock
        self._stack = stack

    def charge(self, charge: Charge) -> dict[str, Any]:
        """See `PaymentMethod`."""
        budget = Budget(self._clock)
        record = self._records.open(charge, self.name)
        if record.state != "captured":
            record = self._collect(record, charge.execution, budget)
        budget.check(DATA_API_SECONDS)
        return self._answer(self._records.capture(record, execution=charge.execution))

    def refund(self, order_id: str, *, execution: str, reason: str) -> dict[str, Any]:
        """See `PaymentMethod`."""
        budget = Budget(self._clock)
        record = self._records.void(order_id, execution=execution, reason=reason)
        if not self._holds_money(record, budget):
            if record.state == "void" and record.payment_intent:
                budget.check(DATA_API_SECONDS)
                record = self._records.closed(record, execution=execution)
            return self._answer(record)
        self._give_back(record, budget)
        budget.check(DATA_API_SECONDS)
        return self._answer(self._records.refunded(record, execution=execution))

    def outcome(self, order_id: str) -> dict[str, Any]:
        """See `PaymentMethod`; `state` may also be pending."""
        record = self._records.find(order_id)
        if record.state in ("intent", "processing") and record.payment_intent:
            intent = self._gateway.retrieve(record.payment_intent)
            record = record._replace(state="captured" if intent.status == "succeeded" else "intent")
        return self._answer(record)

    def _collect(self, record: PaymentAttempt, execution: str, budget: Budget) -> PaymentAttempt:
        """Take the money; return the record with the PaymentIntent that holds it.

        Raises:
            PaymentDeclined: refused, and nothing will be taken.
            PaymentPending: the bank has not settled it yet.
        """
        reason = self._unpayable(record)
        if reason is None and record.payment_intent is None:
            budget.check(STRIPE_SECONDS)
            try:
                intent = self._gateway.create(f"{record.key}:pi", self._params(record))
                budget.check(DATA_API_SECONDS)
                record = self._records.save(record, intent.id, execution=execution)
            except Refused as refusal:
                reason = str(refusal)
        if reason is None:
            intent = self._settled(record, execution, budget)
            if intent.status == "succeeded":
                return record
            reason = intent.reason or intent.status
        budget.check(DATA_API_SECONDS)
        raise PaymentDeclined(str(self._records.decline(record, reason, execution=execution).reason))

    def _settled(self, record: PaymentAttempt, execution: str, budget: Budget) -> Intent:
        """Confirm; where no money was taken, close it before anybody is told, so that none ever will be."""
        intent_id = str(record.payment_intent)
        budget.check(STRIPE_SECONDS)
        if record.state == "processing":
            intent = self._gateway.retrieve(intent_id)
        else:
            params = {"off_session": True} if record.customer else self._means.unsaved
            intent = self._gateway.confirm(intent_id, params)
        if intent.status not in ("succeeded", "processing", "canceled"):
            budget.check(STRIPE_SECONDS)
            closed = self._gateway.cancel(intent_id)
            intent = closed._replace(reason=intent.reason or intent.status)
        if intent.status == "processing":
            budget.check(DATA_API_SECONDS)
            self._records.processing(record, execution=execution)
            raise _pending(intent_id)
        return intent

    def _holds_money(self, record: PaymentAttempt, budget: Budget) -> bool:
        """Return whether the gateway holds money of an order being undone; cancel what is not taken yet."""
        if record.state == "captured":
            return True
        if record.state != "void" or record.payment_intent is None:
            return False
        budget.check(STRIPE_SECONDS)
        intent = self._gateway.cancel(record.payment_intent)
        if intent.status == "processing":
            raise _pending(record.payment_intent)
        if intent.status not in ("succeeded", "canceled"):
            raise UnexpectedResponse(f"cancel: {intent.id} is {intent.status}")
        return intent.status == "succeeded"

    def _give_back(self, record: PaymentAttempt, budget: Budget) -> None:
        """Refund what of the attempt is not refunded yet, with the first key that is not spent.

        What Stripe lists decides, not what a key repeats: a 5xx stays the answer of its key for a day, and a
            refund may fail after it was made. A refund's number counts those before it, so it is the same
            when asked again.
        Two at once cannot give back too much: each is of all that is left, and Stripe refuses more.
        What the shopper's bank took back by a dispute is given back, too.

        Raises:
            OutcomeUnknown: out of time, or Stripe failed; ask again.
            UnexpectedResponse: the refund was refused at once, or a dispute bars it that took less.
        """
        intent_id, amount = str(record.payment_intent), to_stripe(record.amount, record.currency)
        budget.check(STRIPE_SECONDS)
        refunds = self._gateway.refunds(intent_id)
        left = amount - sum(refund.amount for refund in refunds if refund.returns_money)
        failed = {refund.id for refund in refunds if not refund.returns_money}
        number = len(refunds)
        while left > 0:
            number += 1
            budget.check(STRIPE_SECONDS)
            try:
                refund = self._gateway.refund(_refund_key(record, number), intent_id, left)
            except KeySpent:
                continue
            except Disputed:
                budget.check(STRIPE_SECONDS)
                if (taken := self._gateway.disputed(intent_id)) < left:
                    raise UnexpectedResponse(f"refund: disputes took {taken} of {left}") from None
                return
            if refund is None or refund.returns_money:
                left = 0
            elif refund.id not in failed:
                raise UnexpectedResponse(f"refund: {refund.id} is {refund.status}")

    def _unpayable(self, record: PaymentAttempt) -> str | None:
        if record.payment_method is None:
            return "payment_method_missing"
        if self._means.currencies and record.currency not in self._means.currencies:
            return "currency_not_supported"
        try:
            charge_amount(record.amount, record.currency)
        except NotChargeable as refusal:
            return str(refusal)
        return None

    def _params(self, record: PaymentAttempt) -> dict[str, Any]:
        """Return what the PaymentIntent is made from: only what the record holds, so a repeat is the same."""
        params = {
            "amount": charge_amount(record.amount, record.currency),
            "currency": record.currency.lower(),
            "payment_method": record.payment_method,
            "payment_method_types": [self._means.type],
            "description": f"Order {record.order_id}",
            "metadata": {"order_id": record.order_id, "attempt": str(record.attempt)} | self._of_stack(),
        }
        return params | ({"customer": record.customer} if record.customer else {})

    def _of_stack(self) -> dict[str, str]:
        """Return what marks this stack's PaymentIntents: others may use the same Stripe account."""
        return {"stack": self._stack} if self._stack else {}

    def _answer(self, record: PaymentAttempt) -> dict[str, Any]:
        return {
            "order_id": record.order_id,
            "state": _STATES.get(record.state, record.state),
            "amount": record.amount,
            "currency": record.currency,
            "method": self.name,
        }


def _refund_key(record: PaymentAttempt, number: int) -> str:
    return f"{record.key}:refund" + (f":{number}" if number > 1 else "")


def _pending(intent_id: str) -> PaymentPending:
    """Return the error that says that the bank was asked and has not answered, which may take days."""
    return PaymentPending(f"{intent_id} is processing: the bank has not settled it yet")
