"""Record a refund, a failed refund or a dispute that moved money of a payment without the workflow."""

from data_api.domain.requests import Document
from data_api.domain.transactions import adjustment_legs
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import ledger, payments
from data_api.storage.database import Db
from payment_data.errors import IdempotencyMismatch, IllegalTransition


def adjust_payment(db: Db, order_id: str, attempt: str, adjustment: str, request: Document) -> Answer:
    """Record what moved money of a payment at the gateway without the workflow, and enter it into the ledger.

    The record is one write; its legs follow, and a repeated request enters those that are missing.

    Raises:
        IdempotencyMismatch: another kind or amount was recorded under this id.
        IllegalTransition: the payment was never captured.
    """
    document = payments.adjust(
        db, order_id, int(attempt), adjustment, kind=request["kind"], amount=request["amount"]
    )
    if document is None:
        raise IllegalTransition("only a payment that was captured can be adjusted")
    recorded = document["adjustments"]
    if any(recorded[adjustment][key] != request[key] for key in ("kind", "amount")):
        raise IdempotencyMismatch("another adjustment has this id")
    ledger.append(db, adjustment_legs(document))
    shown = views.adjustments(recorded)
    return Answer({"order_id": order_id, "attempt": int(attempt), "adjustments": shown})
