"""Disputes: a cardholder asks the bank for the money back (https://docs.stripe.com/api/disputes).

One is opened as soon as a charge of the test card for disputes succeeds, and stays open until evidence is
submitted: `winning_evidence` wins it, anything else loses it (https://docs.stripe.com/testing#disputes).
"""

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone

from embedded_aws.card_gateway import faults, payment_methods, test_payment_methods
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params, check_known, created_since, flag

_WINNING = "winning_evidence"
_status_by_id: dict[str, str] = {}


def matching(params: Params) -> list[Params]:
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
    for dispute in matching({}):
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
