from http import HTTPStatus

import pytest

from payment_data import error_names, errors
from payment_data.errors import BY_NAME, FieldError, Kind, Problem

LISTS = {
    Kind.BUSINESS: error_names.BUSINESS_ERRORS,
    Kind.CONTRACT: error_names.CONTRACT_ERRORS,
    Kind.NOT_APPLIED: error_names.NOT_APPLIED_ERRORS,
    Kind.UNKNOWN_OUTCOME: error_names.UNKNOWN_OUTCOME_ERRORS,
    Kind.PENDING: error_names.PENDING_ERRORS,
    Kind.PARKED: error_names.PARKED_ERRORS,
}


def test_every_error_is_in_the_list_of_its_kind_and_in_no_other() -> None:
    for name, problem in BY_NAME.items():
        assert [kind for kind, names in LISTS.items() if name in names] == [problem.kind]


def test_what_is_retried_is_what_did_not_happen_or_may_have() -> None:
    assert set(error_names.RETRIED_ERRORS) == {
        *error_names.NOT_APPLIED_ERRORS,
        *error_names.UNKNOWN_OUTCOME_ERRORS,
    }
    assert not set(error_names.RETRIED_ERRORS) & {
        *error_names.BUSINESS_ERRORS,
        *error_names.CONTRACT_ERRORS,
    }
    of_lambda = {"Lambda.TooManyRequestsException", "Sandbox.Timedout", "States.Timeout"}
    assert of_lambda < set(error_names.RETRIED_ERRORS)


@pytest.mark.parametrize("problem", BY_NAME.values(), ids=BY_NAME)
def test_every_error_has_a_document_of_its_own(problem: type[Problem]) -> None:
    # When
    document = problem("what happened", [FieldError("lines[0].price", "must be 1")]).document("/orders/o")
    # Then
    assert document["title"]
    assert document["status"] == problem.status == HTTPStatus(problem.status)
    assert document["detail"] == "what happened"
    assert document["instance"] == "/orders/o"
    assert document["name"] == problem.__name__
    assert document["errors"] == [{"field": "lines[0].price", "rule": "must be 1"}]
    assert [p for p in BY_NAME.values() if p.type_uri() == document["type"]] == [problem]


def test_an_error_reads_as_a_sentence_with_its_fields() -> None:
    assert str(errors.OutOfStock()) == "Out of stock"
    assert str(errors.InvalidOrder("bad", [FieldError("a", "b")])) == "bad; a: b"


def test_the_type_is_a_uri_reference() -> None:
    assert errors.OutOfStock.type_uri() == "/problems/out-of-stock"
    assert errors.ApiUnavailable.type_uri() == "/problems/api-unavailable"


def test_the_table_of_errors() -> None:
    """Status, title and kind are the data API's contract; the names of AWS are Lambda's."""
    table = {name: (problem.status, problem.title, problem.kind.value) for name, problem in BY_NAME.items()}
    assert table == {
        "OutOfStock": (409, "Out of stock", "business"),
        "PaymentDeclined": (402, "Payment declined", "business"),
        "DeliveryRejected": (409, "Delivery rejected", "business"),
        "OrderNotFound": (404, "Order not found", "business"),
        "InvalidOrder": (422, "Invalid order", "business"),
        "PaymentNotUndone": (409, "Payment not undone", "business"),
        "IdempotencyMismatch": (409, "Same key, another request", "contract"),
        "OrderClosed": (409, "Order is closed", "contract"),
        "OrderCompleted": (409, "Order is completed", "contract"),
        "IllegalTransition": (409, "Not allowed in this state", "contract"),
        "DeadlineExceeded": (409, "Deadline exceeded", "contract"),
        "AccessDenied": (403, "Access denied", "contract"),
        "MalformedRequest": (400, "Malformed request", "contract"),
        "NotFound": (404, "Not found", "contract"),
        "MethodNotAllowed": (405, "Method not allowed", "contract"),
        "ContentTooLarge": (413, "Content too large", "contract"),
        "UnsupportedMediaType": (415, "Unsupported media type", "contract"),
        "InvalidRequest": (422, "Invalid request", "contract"),
        "UnexpectedResponse": (502, "Unexpected response", "contract"),
        "Throttled": (429, "Throttled", "not applied"),
        "ApiUnavailable": (503, "Unavailable", "not applied"),
        "OutcomeUnknown": (504, "Outcome unknown", "unknown outcome"),
        "PaymentPending": (503, "Payment pending", "pending"),
        "NeedsAttention": (500, "Needs attention", "parked"),
    }
    assert (Problem.status, Problem.title, Problem.kind) == (500, "Internal error", Kind.UNKNOWN_OUTCOME)


def test_what_lambda_reports_is_retried_by_its_own_names() -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors"""
    of_lambda = [name for name in error_names.NOT_APPLIED_ERRORS if "." in name]
    assert of_lambda == [
        "Lambda.TooManyRequestsException",
        "Lambda.ResourceNotReadyException",
        "Lambda.EC2ThrottledException",
        "Lambda.EC2UnexpectedException",
        "Lambda.ENILimitReachedException",
        "Lambda.SubnetIPAddressLimitReachedException",
    ]
    assert [name for name in error_names.UNKNOWN_OUTCOME_ERRORS if "." in name] == [
        "States.Timeout",
        "Sandbox.Timedout",
        "Runtime.ExitError",
        "Lambda.Unknown",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
    ]


def test_a_document_without_broken_fields_has_none() -> None:
    document = errors.NotFound().document("/x")
    assert document == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "Not found",
        "instance": "/x",
        "name": "NotFound",
    }
