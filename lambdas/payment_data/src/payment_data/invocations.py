"""What every line of a function's log says about the invocation that wrote it."""


def invocation(context: object) -> dict[str, object]:
    """Return what tells one invocation from another in a log: its request, and the version of the code."""
    return {
        "request_id": getattr(context, "aws_request_id", None),
        "function_version": getattr(context, "function_version", None),
    }
