"""Calls of MiniStack's services from inside of them: by their public entrance, in this account and region."""

import asyncio
import json
from typing import Any

from embedded_aws.core.api import Json

_REFUSED = 400


def call(service: Any, target: str, request: Json) -> Json:
    """Make a call in a thread that runs no event loop, and return its answer.

    Args:
        service: the module that answers for the service.
        target: the call's name, as `X-Amz-Target` says it.
        request: its parameters.

    Raises:
        ValueError: it is refused; the message is the service's.
    """
    return asyncio.run(call_soon(service, target, request))


async def call_soon(service: Any, target: str, request: Json) -> Json:
    """Make a call from the event loop; as `call`.

    Raises:
        ValueError: it is refused; the message is the service's.
    """
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
    status, _, body = await service.handle_request("POST", "/", headers, json.dumps(request).encode(), {})
    answer: Json = json.loads(body or b"{}")
    if status >= _REFUSED:
        message = answer.get("message") or answer.get("Message")
        raise ValueError(f'Resource handler returned message: "{message}" ({answer.get("__type")})')
    return answer
