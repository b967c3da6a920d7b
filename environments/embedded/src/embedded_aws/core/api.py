"""The words of an API call: account and region, JSON documents, refusals, answers in pages, and the time."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region that a request acts in."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Name a resource of ours."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def parameter(parameters: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return a parameter of a request in the query protocol, which parses to lists of one value."""
    values = parameters.get(name, default)
    return str(values[0] if isinstance(values, list) and values else values or default)


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: the exception's name in the service's API, such as `PipelineNotFoundException`.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class NotEmulated(ApiError):  # noqa: N818 - it says what happened, as the other errors here do
    """Something that AWS does and the embedded AWS does not."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "NotEmulatedException",
            f"{what} is not emulated here: the embedded AWS runs what promotions by CodePipeline use.",
        )


def page(
    name: str,
    items: Sequence[Json | str],
    request: Json,
    *,
    most: int = 100,
    refusal: str = "InvalidNextTokenException",
) -> Json:
    """Return one page of a list: {`name`: items, nextToken}.

    Args:
        name: what the list is called in the answer.
        items: all of it, in order.
        request: with maxResults and nextToken, where the caller gave any.
        most: how many a page holds, however many are asked for.
        refusal: what the service calls a token that it did not give.

    Raises:
        ApiError: the refusal.
    """
    token = request.get("nextToken") or "0"
    if not (token.isascii() and token.isdigit()):
        raise ApiError(refusal, "The next token was specified in an invalid format.")
    first = int(token)
    last = first + min(request.get("maxResults") or most, most)
    return {name: items[first:last], "nextToken": str(last) if last < len(items) else None}


def now() -> float:
    """Seconds since the epoch, to the millisecond, as the JSON protocol writes dates."""
    return round(time.time(), 3)


def new_id() -> str:
    """A new execution id, token or build id."""
    return str(uuid.uuid4())
