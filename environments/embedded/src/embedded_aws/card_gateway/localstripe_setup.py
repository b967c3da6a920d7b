"""localstripe, patched: it writes no file, sends no webhook, and takes its time and its randomness from us.

Given the same requests at the same instants with the same seeds it makes the same objects with the same
ids, so its state is a journal that is replayed (`service`). It is also taught what its own tables lack:
Stripe's test cards and accounts, and which refunds a charge has without a walk over every object it knows.
"""

import random
from collections import defaultdict
from typing import Any

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone

from embedded_aws.card_gateway import test_payment_methods

Object = Any  # localstripe has no types


class _Clock:
    """Stands where localstripe looks for the module `time`."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now


_clock = _Clock()
_refunds: dict[str, list[Object]] = defaultdict(list)
_make_refund = resources.Refund.__init__


def at(instant: float, seed: str) -> None:
    """Set the clock (seconds since the epoch) and the source of ids for what is done next."""
    _clock.now = instant
    resources.random = random.Random(seed)  # noqa: S311 - ids must come out the same at each replay


def now() -> float:
    """Return the instant that was set last."""
    return _clock.now


def decline_of(method: Object) -> test_payment_methods.Decline | None:
    """Return why this payment method refuses a charge, None if it does not."""
    if method.type == "card":
        return test_payment_methods.DECLINED_CARDS.get(method._card_number)
    return account_of(method).failure


def account_of(method: Object) -> test_payment_methods.BankAccount:
    """Return how a debit of this payment method's bank account ends."""
    return test_payment_methods.ACCOUNTS.get(
        method._sepa_debit_iban, test_payment_methods.BankAccount(test_payment_methods.AT_ONCE)
    )


def refunds_of(charge_id: str) -> list[Object]:
    """Return a charge's refunds, oldest first."""
    return _refunds[charge_id]


def _indexed_refund(self: Object, **data: object) -> None:
    _make_refund(self, **data)
    _refunds[self.charge].append(self)


def _charge_refunds(self: Object) -> Object:
    listed = resources.List(f"/v1/charges/{self.id}/refunds")
    listed._list = _refunds[self.id][::-1]
    return listed


def _nothing(*_: object) -> None:
    """Stand where localstripe would write a file or send a webhook."""


def _never(_: Object) -> bool:
    return False


def _is_declined(method: Object) -> bool:
    return decline_of(method) is not None


resources.time = _clock
resources.Store.dump_to_disk = _nothing  # it pickles everything into /tmp at each change
resources.schedule_webhook = _nothing
resources.Event = _nothing
resources.Refund.__init__ = _indexed_refund
resources.Charge.refunds = property(_charge_refunds)
resources.Charge._is_async_payment_method = _never  # `payment_intents` settles debits, by the clock
resources.PaymentMethod._charging_is_declined = _is_declined
