"""The OpenAPI document is the code's."""

import re

from payment_data.errors import BY_NAME
from pipelines.docs_site import openapi


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
