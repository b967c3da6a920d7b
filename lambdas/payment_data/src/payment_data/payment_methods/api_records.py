"""`PaymentRecords` kept by the data API."""

from typing import Any

from payment_data.client import DataApi
from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.stripe_records import Record


class ApiPaymentRecords:
    """See `PaymentRecords`; each method is one request."""

    def __init__(self, api: DataApi) -> None:
        self._api = api

    def open(self, charge: Charge, method: str) -> Record:  # noqa: D102 - the protocol says it
        return _record(
            self._api.open_payment(
                charge.order_id,
                charge.attempt,
                execution=charge.execution,
                deadline=charge.deadline,
                method=method,
            )
        )

    def save(self, record: Record, payment_intent: str, *, execution: str) -> Record:  # noqa: D102 - the protocol
        return self._followed(record, "intent", execution=execution, payment_intent=payment_intent)

    def processing(self, record: Record, *, execution: str) -> Record:  # noqa: D102 - the protocol says it
        return self._followed(record, "processing", execution=execution)

    def capture(self, record: Record, *, execution: str) -> Record:  # noqa: D102 - the protocol says it
        return self._followed(record, "capture", execution=execution)

    def decline(self, record: Record, reason: str, *, execution: str) -> Record:  # noqa: D102 - the protocol
        return self._followed(record, "decline", execution=execution, reason=reason)

    def void(self, order_id: str, method: str, *, execution: str, reason: str) -> Record:  # noqa: D102 - the same
        return _record(self._api.refund(order_id, execution=execution, reason=reason, method=method))

    def refunded(self, record: Record, *, execution: str) -> Record:  # noqa: D102 - the protocol says it
        return self._followed(record, "refund", execution=execution)

    def find(self, order_id: str) -> Record:  # noqa: D102 - the protocol says it
        return _record(self._api.payment(order_id))

    def _followed(self, record: Record, what: str, **fields: str) -> Record:
        return _record(self._api.follow_payment(record.order_id, record.attempt, what, fields))


def _record(answer: dict[str, Any]) -> Record:
    """Take a record out of an answer; where nothing was tried there is no attempt yet."""
    fields = {name: answer[name] for name in Record._fields if name in answer}
    return Record(**{"attempt": 1, **fields})
