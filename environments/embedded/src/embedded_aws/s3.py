"""Objects are on disk, their versions too: MiniStack keeps the bytes of every version in memory besides.

A bucket of artifacts has versions by necessity, and every release adds to them.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ministack.services import s3

from embedded_aws.core import ministack_names as private

_WRITING = ("PUT", "POST")


def install() -> None:
    """Let go of an object's bytes once they are written down."""
    s3.handle_request = _letting_go(s3.handle_request)


def _letting_go(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, *rest: Any, **named: Any) -> Any:
        answer = await stock(method, path, *rest, **named)
        if method in _WRITING:
            bucket, _, key = unquote(path).lstrip("/").partition("/")
            owner = private.s3.bucket_owner_account(bucket)
            for version in private.s3.object_versions.get_scoped(owner, None, (bucket, key)) or []:
                version["data"] = None  # it is read from its file from now on
        return answer

    return handle_request
