"""Refunds: never more than what was captured (https://docs.stripe.com/api/refunds/create).

Disputes: a cardholder asks the bank for the money back (https://docs.stripe.com/api/disputes).

One is opened as soon as a charge of the test card for disputes succeeds, and stays open until evidence is
submitted: `winning_evidence` wins it, anything else loses it (https://docs.stripe.com/testing#disputes).
"""

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone

from embedded_aws.card_gateway import (
    faults,
    localstripe_setup,
    parameters,
    payment_methods,
    test_payment_methods,
)
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params, amount, check_known, created_since, flag

_PARAMETERS = ("payment_intent", "charge", "amount", "reason", "metadata")


def create(params: Params) -> Params:
    """Refund the amount, or all that is left of the charge.

    Raises:
        Fault: more than is left, it is disputed, or nothing was captured.
    """
    check_known(params, _PARAMETERS)
    charge = _charge(params)
    if _is_charged_back(charge):
        raise faults.refused(
            f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    left = charge.amount - refunded(charge)
    wanted = amount(params)
    if wanted is not None and wanted % parameters.MULTIPLE_OF.get(charge.currency, 1):
        raise faults.invalid(f"Invalid amount: a fraction in {charge.currency}.", param="amount")
    if left == 0:
        raise faults.refused(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if wanted is not None and wanted > left:
        raise faults.refused(
            f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})",
        )
    refund = resources.Refund(charge=charge.id, amount=wanted or left, metadata=params.get("metadata"))
    refund.payment_intent = charge.payment_intent
    refund.reason = params.get("reason")
    method = payment_methods.find(charge.payment_method)
    if getattr(method, "_card_number", None) == test_payment_methods.UNREFUNDABLE_CARD:
        refund._fails_at = localstripe_setup.now() + test_payment_methods.AT_ONCE
    return export(refund)


def _is_charged_back(charge: Object) -> bool:
    intent = resources.store.get(f"payment_intent:{charge.payment_intent}")
    dispute = of_intent(intent) if intent else None
    return dispute is not None and dispute["status"] != "won"


def matching(params: Params) -> list[Object]:
    """Return the refunds of a PaymentIntent or a charge, newest first."""
    if intent := resources.store.get(f"payment_intent:{params.get('payment_intent')}"):
        return localstripe_setup.refunds_of(intent.latest_charge.id)[::-1] if intent.latest_charge else []
    if charge := params.get("charge"):
        return localstripe_setup.refunds_of(charge)[::-1]
    return [thing for key, thing in reversed(resources.store.items()) if key.startswith("refund:")]


def export(refund: Object) -> Params:
    """Return a refund as Stripe shows it."""
    body: Params = refund._export()
    body["status"] = _status(refund)
    return body


def refunded(charge: Object) -> int:
    """Return how much of a charge is given back, in Stripe's units; what failed is not."""
    return sum(r.amount for r in localstripe_setup.refunds_of(charge.id) if _status(r) != "failed")


def _status(refund: Object) -> str:
    fails_at = getattr(refund, "_fails_at", None)
    return "failed" if fails_at is not None and localstripe_setup.now() >= fails_at else str(refund.status)


def _charge(params: Params) -> Object:
    if named_id := params.get("payment_intent"):
        intent = resources.store.get(f"payment_intent:{named_id}")
        if intent is None:
            raise faults.missing("payment_intent", named_id, "payment_intent")
        charge = intent.latest_charge
    elif named_id := params.get("charge"):
        charge = resources.store.get(f"charge:{named_id}")
    else:
        raise faults.invalid("One of the following params should be provided: payment_intent or charge.")
    if charge is None or charge.status != "succeeded" or not charge.captured:
        raise faults.refused(f"{named_id} does not have a successful charge to refund.")
    return charge


_WINNING = "winning_evidence"
_status_by_id: dict[str, str] = {}


def matching_disputes(params: Params) -> list[Params]:
    """Return the disputes of a PaymentIntent, or all since a moment, newest first."""
    check_known(params, ("limit", "starting_after", "payment_intent", "charge", "created"))
    since = created_since(params)
    return [
        dispute
        for key, intent in reversed(resources.store.items())
        if key.startswith("payment_intent:") and (dispute := of_intent(intent))
        if params.get("payment_intent") in (None, intent.id)
        if params.get("charge") in (None, dispute["charge"]) and dispute["created"] >= since
    ]


def of_intent(intent: Object) -> Params | None:
    """Return the dispute of a PaymentIntent as Stripe shows it, None without one."""
    charge = intent.latest_charge
    if charge is None or charge.status != "succeeded" or not charge.captured:
        return None
    method = payment_methods.find(intent.payment_method)
    if getattr(method, "_card_number", None) != test_payment_methods.DISPUTED_CARD:
        return None
    dispute_id = f"du_{charge.id.removeprefix('ch_')}"
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": charge.amount,
        "charge": charge.id,
        "created": charge.created,
        "currency": charge.currency,
        "payment_intent": intent.id,
        "reason": "fraudulent",
        "status": _status_by_id.get(dispute_id, "needs_response"),
    }


def retrieve(dispute_id: str, params: Params) -> Params:
    """Return a dispute.

    Raises:
        Fault: there is none.
    """
    check_known(params, ())
    for dispute in matching_disputes({}):
        if dispute["id"] == dispute_id:
            return dispute
    raise faults.missing("dispute", dispute_id)


def submit(dispute_id: str, params: Params) -> Params:
    """Submit evidence, which ends the dispute.

    Raises:
        Fault: there is no such dispute, or it has ended.
    """
    check_known(params, ("evidence", "submit", "metadata"))
    dispute = retrieve(dispute_id, {})
    if dispute["status"] != "needs_response":
        raise faults.refused(f"This dispute is already {dispute['status']}.")
    if flag(params, "submit"):
        text = (params.get("evidence") or {}).get("uncategorized_text")
        _status_by_id[dispute_id] = "won" if text == _WINNING else "lost"
    return retrieve(dispute_id, {})
