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


class BusinessProblem(Problem):
    """The answer is no, and stays no."""

    kind = Kind.BUSINESS


class ContractProblem(Problem):
    """The request should not have been made, or not like this."""

    kind = Kind.CONTRACT


class NotAppliedProblem(Problem):
    """Nothing was changed; ask again later."""

    kind = Kind.NOT_APPLIED


class UnknownOutcomeProblem(Problem):
    """It may or may not have been done; ask again with the same key."""

    kind = Kind.UNKNOWN_OUTCOME


class PendingProblem(Problem):
    """It is being done by somebody who takes days; ask again with the same key."""

    kind = Kind.PENDING


class ParkedProblem(Problem):
    """Stopped until a person redrives it."""

    kind = Kind.PARKED


class OutOfStock(BusinessProblem):
    """Fewer are available than a line asks for."""

    status, title = 409, "Out of stock"


class PaymentDeclined(BusinessProblem):
    """The payment method refused the charge; the detail is its reason."""

    status, title = 402, "Payment declined"


class DeliveryRejected(BusinessProblem):
    """A line cannot be delivered to its address."""

    status, title = 409, "Delivery rejected"


class OrderNotFound(BusinessProblem):
    """No order has this id."""

    status, title = 404, "Order not found"


class InvalidOrder(BusinessProblem):
    """The order cannot be placed as it is: unknown product or user, another price, another currency."""

    status, title = 422, "Invalid order"


class PaymentNotUndone(BusinessProblem):
    """A gateway may hold money of an order that is about to fail: refund it first."""

    status, title = 409, "Payment not undone"


class IdempotencyMismatch(ContractProblem):
    """The key was used before with another request."""

    status, title = 409, "Same key, another request"


class OrderClosed(ContractProblem):
    """The order is being undone or has failed, so nothing more is done for it."""

    status, title = 409, "Order is closed"


class OrderCompleted(ContractProblem):
    """An undo was asked of a completed order."""

    status, title = 409, "Order is completed"


class IllegalTransition(ContractProblem):
    """The resource's state does not allow this."""

    status, title = 409, "Not allowed in this state"


class DeadlineExceeded(ContractProblem):
    """The operation arrived after the order's deadline, so it was not done."""

    status, title = 409, "Deadline exceeded"


class AccessDenied(ContractProblem):
    """The caller is not known or may not do this."""

    status, title = 403, "Access denied"


class MalformedRequest(ContractProblem):
    """The body is not JSON, or not a JSON object."""

    status, title = 400, "Malformed request"


class NotFound(ContractProblem):
    """Nothing is at this path."""

    status, title = 404, "Not found"


class MethodNotAllowed(ContractProblem):
    """The path exists, the method does not."""

    status, title = 405, "Method not allowed"


class ContentTooLarge(ContractProblem):
    """The body is over the limit."""

    status, title = 413, "Content too large"


class UnsupportedMediaType(ContractProblem):
    """The body is not `application/json`."""

    status, title = 415, "Unsupported media type"


class InvalidRequest(ContractProblem):
    """The body is JSON of the wrong shape; `errors` names each field and rule."""

    status, title = 422, "Invalid request"


class UnexpectedResponse(ContractProblem):
    """Raised by the client: the data API answered with something it never answers with."""

    status, title = 502, "Unexpected response"


class Throttled(NotAppliedProblem):
    """Too many requests at the moment."""

    status, title = 429, "Throttled"


class ApiUnavailable(NotAppliedProblem):
    """The data API or its database cannot be reached."""

    status, title = 503, "Unavailable"


class OutcomeUnknown(UnknownOutcomeProblem):
    """The connection was lost, or time ran out, after the request was sent."""

    status, title = 504, "Outcome unknown"


class PaymentPending(PendingProblem):
    """The bank was asked and has not settled yet; until it has, nothing can be done or undone."""

    status, title = 503, "Payment pending"


class NeedsAttention(ParkedProblem):
    """Compensation could not be finished; the execution is parked until it is redriven."""

    status, title = 500, "Needs attention"


_BASES = (
    BusinessProblem,
    ContractProblem,
    NotAppliedProblem,
    UnknownOutcomeProblem,
    PendingProblem,
    ParkedProblem,
)
BY_NAME: Mapping[str, type[Problem]] = {c.__name__: c for base in _BASES for c in base.__subclasses__()}
"""Every error by its name, which is also its Step Functions error name."""
