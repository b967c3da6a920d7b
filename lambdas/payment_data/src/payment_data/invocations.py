"""What every line of a function's log says about the invocation that wrote it."""

from typing import Any


def invocation(context: object) -> dict[str, Any]:
    """Return the log keys of one invocation: {request_id, function_version}, each None where unknown."""
    return {
        "request_id": getattr(context, "aws_request_id", None),
        "function_version": getattr(context, "function_version", None),
    }
