"""Lambda handler of the steps *Handle failure* and *Needs attention*."""

import json
import re
from typing import Any

from payment_data import fields, metrics
from payment_data.errors import NeedsAttention
from payment_data.step import data_api, logged

api = data_api()
_NAME_LENGTH = 200
_CAUSE_LENGTH = 7_000  # of Step Functions' 32,768; the data API takes 384 KiB of JSON, all texts together
_EXECUTION_LENGTH = 2_048
_UNDO_CAUSE_LENGTH = 1_000  # beside the failure's own cause in one request
_MOST_UNDO_FAILURES = 2  # the steps of the way back
_MESSAGE = re.compile(r'\s*{\s*"errorMessage":\s*("(?:[^"\\]|\\.)*")')
_MOST_REDRIVES = 1_000  # AWS allows as many


@logged
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Record the failure of {order_id, execution, execution_name, started, step, error, cause, compensated}.

    `undo_failures` {step: {error, cause}} says why steps of the way back failed in this drive of the
    execution, the `redrives`th after its first; with `record_only` the order itself is left alone.
    Every event is accepted, since no later step could handle a refusal. Without a valid order id the failure
    is recorded under the execution's name. An event with a `redrive_count` comes from *Needs attention*; one
    with a `release` counts for or against it.

    Returns:
        {recorded: id, state} of a failure, {redriven: true} of a parked execution that was redriven.

    Raises:
        NeedsAttention: the execution was not redriven since it was parked.
    """
    if "redrive_count" in event:
        return _parked(event)
    has_order = fields.is_id(event.get("order_id"))
    key = event["order_id"] if has_order else fields.record_id(_text(event, "execution_name", _NAME_LENGTH))
    failure = {
        "execution": _text(event, "execution", _EXECUTION_LENGTH),
        "step": _text(event, "step", _NAME_LENGTH),
        "error": _text(event, "error", _NAME_LENGTH),
        "cause": _text(event, "cause", _CAUSE_LENGTH),
        "compensated": event.get("compensated") is True,
        "record_only": not has_order or event.get("record_only") is True,
        **_undo_failures(event),
    }
    state = api.record_failure(key, failure)["state"]
    if failure["compensated"]:
        metrics.order_ended(event, technical=metrics.is_technical(failure["error"]))
    else:
        metrics.judge_release(event, technical=True)
    return {"recorded": key, "state": state}


def _parked(event: dict[str, Any]) -> dict[str, Any]:
    """Stop here until a person redrives the execution, which raises its RedriveCount by one.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    if event["redrive_count"] > event.get("parked_redrive_count", 0):
        return {"redriven": True}
    raise NeedsAttention("compensation could not be finished; repair the cause and redrive the execution")


def _undo_failures(event: dict[str, Any]) -> dict[str, Any]:
    """Return the request's fields about failed undos: none where nothing failed."""
    failures = event.get("undo_failures")
    named = failures.items() if isinstance(failures, dict) else ()
    failed = [
        {
            "step": _text({"step": step}, "step", _NAME_LENGTH),
            "error": _text(failure, "error", _NAME_LENGTH),
            "cause": _text({"cause": _message(failure.get("cause"))}, "cause", _UNDO_CAUSE_LENGTH),
        }
        for step, failure in named
        if isinstance(failure, dict)
    ][:_MOST_UNDO_FAILURES]
    redrives = event.get("redrives")
    counted = {"redrives": redrives} if isinstance(redrives, int) and 0 < redrives <= _MOST_REDRIVES else {}
    return {"undo_failures": failed, **counted} if failed else {}


def _message(cause: object) -> object:
    """Return what a Lambda function's error says, without its stack, of which the cause may be cut off."""
    match = _MESSAGE.match(cause) if isinstance(cause, str) else None
    return json.loads(match[1], strict=False) if match else cause


def _text(event: dict[str, Any], name: str, longest: int) -> str:
    """Return the value as text that MongoDB can hold, cut to `longest` characters, never empty."""
    value = event.get(name)
    text = value if isinstance(value, str) else json.dumps(value)
    clean = text.encode("utf-8", "replace").decode().replace("\0", "")
    return clean[:longest] or "unknown"
