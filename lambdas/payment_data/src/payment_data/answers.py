"""What an answer of the data API means: a document, or the problem that it names, raised as its class."""

import json
from collections.abc import Mapping
from typing import Any

from payment_data.errors import (
    BY_NAME,
    AccessDenied,
    ContentTooLarge,
    FieldError,
    OutcomeUnknown,
    Problem,
    Throttled,
    UnexpectedResponse,
)
from payment_data.transport import Response

# What API Gateway answers by itself, without our problem document. Its 403 has other causes than a missing
# permission, all of them the caller's; its 503 is no promise that nothing happened.
_BY_STATUS: Mapping[int, type[Problem]] = {403: AccessDenied, 413: ContentTooLarge, 429: Throttled}


def document_of(request: str, response: Response) -> dict[str, Any]:
    """Return the JSON object that a response holds, empty for one without content.

    Args:
        request: what errors call the request, like `GET /orders/o1`.
        response: the answer to it.

    Raises:
        Problem: the class that the problem document names, or what the bare status means.
    """
    if response.status == 204:  # noqa: PLR2004 - No Content
        return {}
    document = _parsed(response.body)
    if response.status in (200, 201) and document is not None:
        return document
    raise _problem(request, response.status, document or {})


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _problem(request: str, status: int, document: Mapping[str, Any]) -> Problem:
    """Return the class that the problem document names, or what the bare status says."""
    problem = BY_NAME.get(str(document.get("name")))
    if problem and problem.status == status:
        return problem(str(document.get("detail", "")), list(_field_errors(document.get("errors"))))
    detail = f"{request}: {status} {document.get('message') or document.get('title') or 'without a reason'}"
    if status in _BY_STATUS:
        return _BY_STATUS[status](detail)
    return OutcomeUnknown(detail) if status >= 500 else UnexpectedResponse(detail)  # noqa: PLR2004 - server errors


def _field_errors(errors: object) -> list[FieldError]:
    entries = errors if isinstance(errors, list) else []
    return [FieldError(str(e.get("field")), str(e.get("rule"))) for e in entries if isinstance(e, dict)]
