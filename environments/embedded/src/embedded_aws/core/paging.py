"""Long answers in pages; a token is where the next one begins."""

from collections.abc import Sequence

from embedded_aws.core.api import ApiError, Json


def page(
    name: str,
    items: Sequence[Json | str],
    request: Json,
    *,
    most: int = 100,
    refusal: str = "InvalidNextTokenException",
) -> Json:
    """Return one page of what was found.

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
