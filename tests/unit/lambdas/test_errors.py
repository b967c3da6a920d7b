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
