"""Which payment method this function uses: the environment variable PAYMENT_METHOD decides."""

from collections.abc import Callable, Mapping
from typing import Any

from payment_data.client import DataApi
from payment_data.payment_methods.credit import Credit
from payment_data.payment_methods.names import NAMES, VARIABLE
from payment_data.payment_methods.protocol import PaymentMethod
from payment_data.payment_methods.stripe_methods import BANK_ACCOUNT, CARD, stripe_payment

_METHODS: Mapping[str, Callable[[DataApi, Mapping[str, str]], PaymentMethod]] = {
    "credit": lambda api, _: Credit(api),
    "card": lambda api, environ: stripe_payment(CARD, api, environ),
    "bank_account": lambda api, environ: stripe_payment(BANK_ACCOUNT, api, environ),
}


class UnknownPaymentMethod(ValueError):  # noqa: N818 - the name operators see in Lambda's init error
    """PAYMENT_METHOD names no payment method; the message lists them."""


def select(environ: Mapping[str, str], api: DataApi) -> PaymentMethod:
    """Return the payment method that the environment names.

    Called when a function starts, so that a wrong name fails the deployment's first call, not an order.

    Raises:
        UnknownPaymentMethod: the variable is missing or names no method.
    """
    name = environ.get(VARIABLE, "")
    if name not in _METHODS:
        raise UnknownPaymentMethod(f"{VARIABLE} is {name!r}; choose one of {', '.join(NAMES)}")
    return _METHODS[name](api, environ)


def undo(
    configured: PaymentMethod,
    environ: Mapping[str, str],
    api: DataApi,
    order_id: str,
    *,
    execution: str,
    reason: str,
) -> dict[str, Any]:
    """Undo an order's payment by the method it is paid by on record, whatever is configured today.

    Returns:
        What `PaymentMethod.refund` returns.

    Raises:
        PaymentPending: the bank has not settled yet.
    """
    undone = configured.refund(order_id, execution=execution, reason=reason)
    recorded = undone.get("method", configured.name)
    if recorded == configured.name or recorded not in _METHODS:
        return undone
    return _METHODS[recorded](api, environ).refund(order_id, execution=execution, reason=reason)
