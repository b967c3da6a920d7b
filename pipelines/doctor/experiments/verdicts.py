"""What an experiment says of its assumption, and what AWS says against a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.doctor.findings import Diagnosis, failed, well

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def verdict(*, holds: bool, seen: str) -> Diagnosis:
    """Return whether an assumption holds, with what was seen."""
    if holds:
        return well(seen)
    return failed(seen, "The register says what rests on it: docs/reference/assumptions.")


def refusal(call: Callable[[], object]) -> str:
    """Return what AWS says against a call; nothing when it takes it."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


def execution_said(execution: Mapping[str, Any]) -> str:
    """Return how an execution of a state machine ended, in a line."""
    return ": ".join(
        str(execution[key]) for key in ("status", "output", "error", "cause") if execution.get(key)
    )
