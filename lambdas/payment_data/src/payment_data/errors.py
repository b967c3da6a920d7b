"""The one table of errors: class, HTTP status, problem type, kind, and what a workflow does about it.

A class's name is the error name that AWS Step Functions sees: a Python Lambda function that raises reports
its exception's class name as the error
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html), so Retry and Catch in the
templates, problems of the data API (RFC 9457) and the exceptions raised by the client are the same names.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple


class Kind(StrEnum):
    """What an error says about the operation, hence what the workflow does."""

    BUSINESS = "business"  # an answer, never retried: compensate
    CONTRACT = "contract"  # a caller or a program is wrong, never retried: compensate and alarm
    NOT_APPLIED = "not applied"  # nothing happened: retry
    UNKNOWN_OUTCOME = "unknown outcome"  # it may have happened: ask again with the same key, then resolve
    PENDING = "pending"  # it is under way and takes days: ask again much later
    PARKED = "parked"  # a person must look, then redrive


CRASH = "crash"
"""The `kind` of a log line that tells of an error that is no `Problem`: the program is wrong."""


class FieldError(NamedTuple):
    """One broken rule: where (`lines[0].quantity`) and what is asked for."""

    field: str
    rule: str


class Problem(Exception):  # noqa: N818 - RFC 9457's word; the subclasses' names are a contract with Step Functions
    """An error, told to the HTTP caller, the workflow and a person. Holds no personal data.

    Attributes:
        status: HTTP status code.
        title: the same short sentence for every occurrence.
        kind: what it means to a workflow.
        detail: this occurrence in a sentence.
        errors: the fields that break a rule, if that is what it is about.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    kind: ClassVar[Kind] = Kind.UNKNOWN_OUTCOME

    def __init__(self, detail: str = "", errors: Sequence[FieldError] = ()) -> None:
        self.detail = detail or self.title
        self.errors = tuple(errors)
        super().__init__("; ".join([self.detail, *(f"{e.field}: {e.rule}" for e in self.errors)]))

    @classmethod
    def type_uri(cls) -> str:
        """Return the problem type, a URI reference like `/problems/out-of-stock` (RFC 9457, 3.1.1)."""
        return "/problems/" + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    def document(self, instance: str) -> dict[str, Any]:
        """Return the `application/problem+json` body; `instance` is the path that was asked for."""
        body: dict[str, Any] = {
            "type": self.type_uri(),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "name": type(self).__name__,
        }
        if self.errors:
            body["errors"] = [error._asdict() for error in self.errors]
        return body


class OutOfStock(Problem):
    """Fewer are available than a line asks for."""

    kind, status, title = Kind.BUSINESS, 409, "Out of stock"


class PaymentDeclined(Problem):
    """The payment method refused the charge; the detail is its reason."""

    kind, status, title = Kind.BUSINESS, 402, "Payment declined"


class DeliveryRejected(Problem):
    """A line cannot be delivered to its address."""

    kind, status, title = Kind.BUSINESS, 409, "Delivery rejected"


class OrderNotFound(Problem):
    """No order has this id."""

    kind, status, title = Kind.BUSINESS, 404, "Order not found"


class InvalidOrder(Problem):
    """The order cannot be placed as it is: unknown product or user, another price, another currency."""

    kind, status, title = Kind.BUSINESS, 422, "Invalid order"


class PaymentNotUndone(Problem):
    """A gateway may hold money of an order that is about to fail: refund it first."""

    kind, status, title = Kind.BUSINESS, 409, "Payment not undone"


class IdempotencyMismatch(Problem):
    """The key was used before with another request."""

    kind, status, title = Kind.CONTRACT, 409, "Same key, another request"


class OrderClosed(Problem):
    """The order is being undone or has failed, so nothing more is done for it."""

    kind, status, title = Kind.CONTRACT, 409, "Order is closed"


class OrderCompleted(Problem):
    """An undo was asked of a completed order."""

    kind, status, title = Kind.CONTRACT, 409, "Order is completed"


class IllegalTransition(Problem):
    """The resource's state does not allow this."""

    kind, status, title = Kind.CONTRACT, 409, "Not allowed in this state"


class DeadlineExceeded(Problem):
    """The operation arrived after the order's deadline, so it was not done."""

    kind, status, title = Kind.CONTRACT, 409, "Deadline exceeded"


class AccessDenied(Problem):
    """The caller is not known or may not do this."""

    kind, status, title = Kind.CONTRACT, 403, "Access denied"


class MalformedRequest(Problem):
    """The body is not JSON, or not a JSON object."""

    kind, status, title = Kind.CONTRACT, 400, "Malformed request"


class NotFound(Problem):
    """Nothing is at this path."""

    kind, status, title = Kind.CONTRACT, 404, "Not found"


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    kind, status, title = Kind.CONTRACT, 405, "Method not allowed"


class ContentTooLarge(Problem):
    """The body is over the limit."""

    kind, status, title = Kind.CONTRACT, 413, "Content too large"


class UnsupportedMediaType(Problem):
    """The body is not `application/json`."""

    kind, status, title = Kind.CONTRACT, 415, "Unsupported media type"


class InvalidRequest(Problem):
    """The body is JSON of the wrong shape; `errors` names each field and rule."""

    kind, status, title = Kind.CONTRACT, 422, "Invalid request"


class UnexpectedResponse(Problem):
    """Raised by the client: the data API answered with something it never answers with."""

    kind, status, title = Kind.CONTRACT, 502, "Unexpected response"


class Throttled(Problem):
    """Too many requests at the moment."""

    kind, status, title = Kind.NOT_APPLIED, 429, "Throttled"


class ApiUnavailable(Problem):
    """The data API or its database cannot be reached."""

    kind, status, title = Kind.NOT_APPLIED, 503, "Unavailable"


class OutcomeUnknown(Problem):
    """The connection was lost, or time ran out, after the request was sent."""

    kind, status, title = Kind.UNKNOWN_OUTCOME, 504, "Outcome unknown"


class PaymentPending(Problem):
    """The bank was asked and has not settled yet; until it has, nothing can be done or undone."""

    kind, status, title = Kind.PENDING, 503, "Payment pending"


class NeedsAttention(Problem):
    """Compensation could not be finished; the execution is parked until it is redriven."""

    kind, status, title = Kind.PARKED, 500, "Needs attention"


BY_NAME: Mapping[str, type[Problem]] = {c.__name__: c for c in Problem.__subclasses__()}
"""Every error by its name, which is also its Step Functions error name."""
