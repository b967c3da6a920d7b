"""What a PaymentIntent looks like from outside, in answers and in refusals."""

from embedded_aws.card_gateway import faults, test_payment_methods
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params


def status(intent: Object) -> str:
    """Tell its state as of now."""
    return "processing" if intent._settles_at is not None else str(intent.status)


def export(intent: Object, expand: tuple[str, ...] = ()) -> Params:
    """Show it as Stripe's API of 2026 does."""
    body: Params = intent._export()
    charge = intent.latest_charge
    del body["charges"], body["invoice"]  # Stripe dropped both long ago
    body["status"] = status(intent)
    body["latest_charge"] = body["latest_charge"] if "latest_charge" in expand else charge and charge.id
    body["last_payment_error"] = intent._error
    body["amount_received"] = intent.amount if body["status"] == "succeeded" else 0
    body["amount_capturable"] = intent.amount if body["status"] == "requires_capture" else 0
    if body["status"] == "requires_payment_method":
        body["payment_method"] = None
    return body


def declined(intent: Object, decline: test_payment_methods.Decline) -> faults.Fault:
    """Say why it was not charged, and remember it."""
    intent._error = {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
    }
    return faults.declined(decline, export(intent))


def unexpected(intent: Object, why: str, what: str) -> faults.Fault:
    """Say that its state does not allow it; it is in the answer, as it is."""
    return faults.refused(
        f"{why} {what}.", code="payment_intent_unexpected_state", payment_intent=export(intent)
    )
