"""PaymentIntents: Stripe's rules around localstripe's objects (https://docs.stripe.com/payments/paymentintents/lifecycle)."""

import contextlib

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.errors import UserError  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import (
    faults,
    intent_view,
    localstripe_setup,
    payment_methods,
    test_payment_methods,
)
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params, amount, check_known, flag, required

_SHOWN = ("description", "return_url", "statement_descriptor_suffix", "transfer_group", "receipt_email")
_AT_CONFIRM = (
    "mandate_data",
    "mandate",
    "return_url",
    "off_session",
    "error_on_requires_action",
    "use_stripe_sdk",
)
_AT_CREATE = (
    *(
        "amount",
        "currency",
        "customer",
        "payment_method",
        "payment_method_types",
        "capture_method",
        "metadata",
    ),
    *(
        "confirm",
        "automatic_payment_methods",
        "setup_future_usage",
        "payment_method_options",
        "statement_descriptor",
    ),
    *_SHOWN,
    *_AT_CONFIRM,
)
_CONFIRMABLE = ("requires_confirmation", "requires_payment_method", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture")


def create(params: Params) -> Params:
    """Make a PaymentIntent, and confirm it when asked to."""
    check_known(params, _AT_CREATE)
    required(params, "amount")
    currency = str(required(params, "currency")).lower()
    types = params.get("payment_method_types") or ["card"]
    method = payment_methods.find(params["payment_method"]) if params.get("payment_method") else None
    if method and method.type not in types:
        message = f"The PaymentMethod provided ({method.type}) is not allowed for this PaymentIntent."
        raise faults.invalid(
            message, param="payment_method", code="payment_intent_incompatible_payment_method"
        )
    if "sepa_debit" in types and currency != "eur":
        raise faults.invalid("The payment method `sepa_debit` takes eur alone.", param="payment_method_types")
    intent = resources.PaymentIntent(
        amount=amount(params),
        currency=currency,
        customer=params.get("customer"),
        payment_method=method and method.id,
        metadata=params.get("metadata"),
        capture_method=params.get("capture_method"),
    )
    intent.payment_method_types = types
    intent.automatic_payment_methods = params.get("automatic_payment_methods")
    intent.confirmation_method = "automatic"
    intent.canceled_at = intent.cancellation_reason = None
    for name in _SHOWN:
        setattr(intent, name, params.get(name))
    intent._settles_at = intent._error = None
    if flag(params, "confirm"):
        return confirm(intent, {name: params[name] for name in _AT_CONFIRM if name in params})
    return intent_view.export(intent)


def confirm(intent: Object, params: Params) -> Params:
    """Charge it: a card at once, a bank account some time later (`processing` until then)."""
    check_known(params, (*_AT_CONFIRM, "payment_method", "capture_method"))
    given = payment_methods.find(params["payment_method"]) if params.get("payment_method") else None
    if intent_view.status(intent) not in _CONFIRMABLE:
        raise intent_view.unexpected(
            intent, "You cannot confirm this PaymentIntent because it has already", "confirmed"
        )
    if given:
        intent.payment_method, intent.latest_charge, intent._error = given.id, None, None
    if intent_view.status(intent) == "requires_payment_method":
        raise intent_view.unexpected(
            intent, "You cannot confirm this PaymentIntent because it's missing a", "payment method"
        )
    method = payment_methods.find(intent.payment_method)
    if method.type == "sepa_debit":
        intent._settles_at = localstripe_setup.now() + localstripe_setup.account_of(method).seconds
        return intent_view.export(intent)
    if method._requires_authentication():
        if flag(params, "off_session") or flag(params, "error_on_requires_action"):
            intent.payment_method = None
            raise intent_view.declined(intent, test_payment_methods.AUTHENTICATION_REQUIRED)
        intent._confirm(on_failure_now=None)
        return intent_view.export(intent)
    _charge(intent)
    return intent_view.export(intent)


def cancel(intent: Object, params: Params) -> Params:
    """Close it for good, unless money has moved or is moving."""
    check_known(params, ("cancellation_reason",))
    if intent_view.status(intent) not in _CANCELABLE:
        raise intent_view.unexpected(
            intent,
            "You cannot cancel this PaymentIntent because it has a status of",
            intent_view.status(intent),
        )
    intent._canceled = True
    intent.next_action = None
    intent.canceled_at = int(localstripe_setup.now())
    intent.cancellation_reason = params.get("cancellation_reason")
    return intent_view.export(intent)


def capture(intent: Object, params: Params) -> Params:
    """Take what a card was authorized for."""
    check_known(params, ("amount_to_capture",))
    if intent_view.status(intent) != "requires_capture":
        raise intent_view.unexpected(
            intent,
            "This PaymentIntent could not be captured because it has a status of",
            intent_view.status(intent),
        )
    taken = amount(params, "amount_to_capture")
    if taken and taken > intent.amount:
        message = "The amount_to_capture is greater than the authorized amount."
        raise faults.invalid(message, param="amount_to_capture", code="amount_too_large")
    intent.latest_charge._capture(taken, on_success=intent._on_success)
    return intent_view.export(intent)


def settle(intent: Object, instant: float) -> None:
    """Finish a bank debit that is due by `instant`."""
    due = intent._settles_at
    if due is None or due > instant:
        return
    localstripe_setup.at(due, intent.id)  # what it makes depends on nothing but the PaymentIntent
    intent._settles_at = None
    with contextlib.suppress(faults.Fault):  # its reason is in `last_payment_error`
        _charge(intent)


def _charge(intent: Object) -> None:
    try:
        intent._create_charge(on_failure_now=intent._report_failure)
    except UserError:
        decline = localstripe_setup.decline_of(payment_methods.find(intent.payment_method))
        if decline is None:
            raise
        intent.latest_charge.failure_code = decline.code
        intent.latest_charge.failure_message = decline.message
        raise intent_view.declined(intent, decline) from None
