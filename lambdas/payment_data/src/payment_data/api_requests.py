"""Requests to the data API: how a path, a query and a body are written, and what the answer means."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from payment_data.answers import document_of
from payment_data.transport import Transport

Json = dict[str, Any]


class Requests:
    """Sends requests over a transport; the answers are JSON objects.

    Args:
        transport: sends (method, path, body) and returns the answer.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _put(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._send("PUT", path, encoded(body))

    def _send(self, method: str, path: str, body: bytes | None = None) -> Json:
        return document_of(f"{method} {path}", self._transport(method, path, body))


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return the JSON of a request's body, in UTF-8: a letter of any script takes its own bytes, not six.

    Raises:
        ValueError: a number is not finite, which JSON does not have.
    """
    try:
        return _as_it_is(dict(body)).encode()
    except UnicodeEncodeError:  # half a surrogate pair: written so that the data API names the field
        return _in_ascii(dict(body)).encode()


_as_it_is, _in_ascii = (
    json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=ascii_only).encode
    for ascii_only in (False, True)
)


def path_of(*segments: str) -> str:
    """Return a path of these segments; no id can leave its own."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


def query_of(**fields: object) -> str:
    """Return a query string of what is given, empty where nothing is."""
    parameters = {key: value for key, value in fields.items() if value not in (None, "")}
    return "?" + urlencode(parameters) if parameters else ""
