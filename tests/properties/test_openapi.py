"""Schemathesis makes requests of the OpenAPI document, good and bad ones, and finds nothing."""

import json
from typing import Final

import pytest

from data_api.storage.database import Db
from pipelines.docs_site import openapi

OPERATIONS: Final = [
    f"{method.upper()} {path}"
    for path, methods in json.loads(openapi.text())["paths"].items()
    for method in methods
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_documented(operation: str, quick_db: Db) -> None:
    # Takes seconds, as does making up requests: every process that collects tests would take them.
    from tests.properties.schema_checks import every_request  # noqa: PLC0415

    every_request(operation)()
