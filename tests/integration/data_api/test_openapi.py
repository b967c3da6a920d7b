"""The OpenAPI document is the code's."""

import re
from datetime import UTC, datetime, timedelta

from payment_data.errors import BY_NAME
from pipelines.docs_site import openapi
from pipelines.docs_site.pages import data_api
from tests.integration.data_api.conftest import Call


def test_the_committed_document_is_what_the_code_declares() -> None:
    # Then: if this fails, run `python -m pipelines.docs_site.openapi` in lambdas/ and commit what it writes
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text()


def test_every_operation_has_a_name_of_its_own_and_its_path_its_parameters() -> None:
    # Given
    operations = [
        (path, operation)
        for path, methods in openapi.document()["paths"].items()
        for operation in methods.values()
    ]
    # Then
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    for path, operation in operations:
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        assert operation["summary"].endswith(".")


def test_the_problem_lists_every_error() -> None:
    # Given
    problem = openapi.document()["components"]["schemas"]["Problem"]["properties"]
    # Then
    assert set(problem["name"]["enum"]) == set(BY_NAME)


def test_every_example_of_the_docs_is_a_request_that_the_api_takes(call: Call) -> None:
    # Given the examples, in their order on the page, with deadlines that have not passed
    document, deadline = openapi.document(), (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    examples = [
        data_api.example(document, method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]
    refused = []
    for example in examples:
        body = example.body | ({"deadline": deadline} if "deadline" in example.body else {})
        # When it is sent
        answer = call(example.method, example.path, body)
        # Then its form is right, and what it names is there; the order may have come too far for it
        if answer.status in (400, 404, 413, 415, 422, 500):
            refused.append((example.shown, answer.status, answer.body))
    assert refused == []
    # And the first ones, which make what the others need, are carried out
    assert call("GET", "/orders/order-1").body["lines"][0]["product_id"] == "teapot"
