"""What a request brings: an id from its path and a body, checked before anything is done."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from payment_data.errors import ContentTooLarge, InvalidRequest, MalformedRequest, UnsupportedMediaType
from payment_data.fields import Field, Integer, Object, validate

MAX_BYTES = 384 * 1024
"""Whatever an order's fields allow fits, in any script; its document stays well below a megabyte."""
_JSON = "application/json"


def check_ids(kinds: Mapping[str, Field], values: Mapping[str, str]) -> None:
    """Check the ids of the path.

    Raises:
        InvalidRequest: one is not of an id's form.
    """
    if errors := [error for name, kind in kinds.items() for error in kind.check(values[name], name)]:
        raise InvalidRequest("the path holds no valid id", errors)


def read_query(event: Mapping[str, Any], shape: Object) -> dict[str, Any]:
    """Return what the query string says, which has `shape`; a number in digits is read as one.

    Raises:
        InvalidRequest: a field breaks a rule.
    """
    parameters = event.get("queryStringParameters") or {}
    numbers = {name for name, kind in shape.properties.items() if isinstance(kind, Integer)}
    values = {
        name: int(text) if name in numbers and re.fullmatch(r"[0-9]{1,18}", text) else text
        for name, text in parameters.items()
    }
    validate(shape, values)
    return values


def read_body(event: Mapping[str, Any], shape: Object) -> dict[str, Any]:
    """Return the JSON body of an API Gateway proxy event, which has `shape`.

    Raises:
        UnsupportedMediaType: it says that it is something else than JSON.
        ContentTooLarge: more than `MAX_BYTES`.
        MalformedRequest: no JSON, or JSON that readers could take for different things.
        InvalidRequest: a field breaks a rule.
    """
    media_type = _header(event, "content-type").split(";")[0].strip().lower()
    if media_type not in {"", _JSON}:
        raise UnsupportedMediaType(f"the body must be {_JSON}")
    content = _content(event)
    if len(content) > MAX_BYTES:
        raise ContentTooLarge(f"the body must be at most {MAX_BYTES} bytes")
    body = _parse(content)
    validate(shape, body)
    return dict(body)


def _header(event: Mapping[str, Any], name: str) -> str:
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def _content(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(text, validate=True)
        return str(text).encode()
    except ValueError as error:  # not base64, or lone surrogates, which no UTF-8 text has
        raise MalformedRequest("the body is not UTF-8 text") from error


def _parse(content: bytes) -> Any:
    try:
        return _DECODER.decode(content.decode())
    except _AmbiguousError as error:
        raise MalformedRequest(str(error)) from error
    except (ValueError, RecursionError) as error:  # ValueError: no UTF-8, no JSON, an integer of 4,300 digits
        raise MalformedRequest("the body is not JSON") from error


class _AmbiguousError(ValueError):
    """JSON that parsers disagree about (RFC 8259, sections 4 and 6)."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise _AmbiguousError("the body names a key twice")
    return body


def _no_constant(name: str) -> Any:
    raise _AmbiguousError(f"the body holds {name}, which JSON does not have")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant)
