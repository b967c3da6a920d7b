"""PaymentIntents: Stripe's rules around localstripe's objects (https://docs.stripe.com/payments/paymentintents/lifecycle)."""

import contextlib

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.errors import UserError  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import (
    faults,
    localstripe_setup,
    parameters,
    payment_methods,
    refunds,
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
    """Make a PaymentIntent, and confirm it when asked to.

    Raises:
        Fault: Stripe would refuse the request.
    """
    check_known(params, _AT_CREATE)
    required(params, "amount")
    currency = str(required(params, "currency")).lower()
    parameters.check_charge(amount(params) or 0, currency)
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
    return export(intent)


def confirm(intent: Object, params: Params) -> Params:
    """Charge a PaymentIntent: a card at once, a bank account some time later (`processing` until then).

    Raises:
        Fault: the charge is declined, or the status does not allow it.
    """
    check_known(params, (*_AT_CONFIRM, "payment_method", "capture_method"))
    method = payment_methods.find(params["payment_method"]) if params.get("payment_method") else None
    if status(intent) not in _CONFIRMABLE:
        raise _unexpected(intent, "You cannot confirm this PaymentIntent because it has already", "confirmed")
    if method:
        intent.payment_method, intent.latest_charge, intent._error = method.id, None, None
    if status(intent) == "requires_payment_method":
        raise _unexpected(
            intent, "You cannot confirm this PaymentIntent because it's missing a", "payment method"
        )
    method = payment_methods.find(intent.payment_method)
    if method.type == "sepa_debit":
        intent._settles_at = localstripe_setup.now() + localstripe_setup.account_of(method).seconds
        return export(intent)
    if method._requires_authentication():
        if flag(params, "off_session") or flag(params, "error_on_requires_action"):
            intent.payment_method = None
            raise _declined(intent, test_payment_methods.AUTHENTICATION_REQUIRED)
        intent._confirm(on_failure_now=None)
        return export(intent)
    _charge(intent)
    return export(intent)


def cancel(intent: Object, params: Params) -> Params:
    """Close a PaymentIntent for good, unless money has moved or is moving.

    Raises:
        Fault: it has, or is.
    """
    check_known(params, ("cancellation_reason",))
    if status(intent) not in _CANCELABLE:
        raise _unexpected(
            intent,
            "You cannot cancel this PaymentIntent because it has a status of",
            status(intent),
        )
    intent._canceled = True
    intent.next_action = None
    intent.canceled_at = int(localstripe_setup.now())
    intent.cancellation_reason = params.get("cancellation_reason")
    return export(intent)


def capture(intent: Object, params: Params) -> Params:
    """Capture what a card was authorized for.

    Raises:
        Fault: nothing is authorized, or less than is asked for.
    """
    check_known(params, ("amount_to_capture",))
    if status(intent) != "requires_capture":
        raise _unexpected(
            intent,
            "This PaymentIntent could not be captured because it has a status of",
            status(intent),
        )
    capture_amount = amount(params, "amount_to_capture")
    if capture_amount and capture_amount > intent.amount:
        message = "The amount_to_capture is greater than the authorized amount."
        raise faults.invalid(message, param="amount_to_capture", code="amount_too_large")
    intent.latest_charge._capture(capture_amount, on_success=intent._on_success)
    return export(intent)


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
        raise _declined(intent, decline) from None


def status(intent: Object) -> str:
    """Return the PaymentIntent's status as of now."""
    return "processing" if intent._settles_at is not None else str(intent.status)


def export(intent: Object, expand: tuple[str, ...] = ()) -> Params:
    """Return the PaymentIntent as Stripe's API of 2026 shows it.

    Args:
        intent: localstripe's object.
        expand: fields to show as objects, not as ids; `latest_charge` alone is expanded.
    """
    body: Params = intent._export()
    charge = intent.latest_charge
    del body["charges"], body["invoice"]  # Stripe dropped both long ago
    body["status"] = status(intent)
    body["latest_charge"] = (
        _charge_view(intent) if charge and "latest_charge" in expand else charge and charge.id
    )
    body["last_payment_error"] = intent._error
    body["amount_received"] = intent.amount if body["status"] == "succeeded" else 0
    body["amount_capturable"] = intent.amount if body["status"] == "requires_capture" else 0
    if body["status"] == "requires_payment_method":
        body["payment_method"] = None
    return body


def _charge_view(intent: Object) -> Params:
    view: Params = intent.latest_charge._export()
    view["amount_refunded"] = refunds.refunded(intent.latest_charge)
    view["disputed"] = refunds.of_intent(intent) is not None
    return view


def _declined(intent: Object, decline: test_payment_methods.Decline) -> faults.Fault:
    """Return the decline that answers the request, and keep it as the last payment error."""
    intent._error = {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
    }
    return faults.declined(decline, export(intent))


def _unexpected(intent: Object, why: str, state: str) -> faults.Fault:
    """Return the refusal of a request that the state does not allow, with the PaymentIntent as it is."""
    return faults.refused(
        f"{why} {state}.", code="payment_intent_unexpected_state", payment_intent=export(intent)
    )
