"""Lambda handler of the steps *Handle failure* and *Needs attention*."""

import json
from typing import Any

from payment_data import fields, metrics
from payment_data.errors import NeedsAttention
from payment_data.step import data_api, logged

api = data_api()
_NAME_LENGTH = 200
_CAUSE_LENGTH = 8_000  # of Step Functions' 32,768; the data API takes 64 KiB of JSON
_EXECUTION_LENGTH = 2_048


@logged
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Record the failure of {order_id, execution, execution_name, started, step, error, cause, compensated}.

    Every event is accepted, since no later step could handle a refusal. Without a valid order id the failure
    is recorded under the execution's name. An event with a `redrive_count` comes from *Needs attention*.

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
        "record_only": not has_order,
    }
    state = api.record_failure(key, failure)["state"]
    if failure["compensated"]:
        metrics.order_ended(event.get("started"))
    return {"recorded": key, "state": state}


def _parked(event: dict[str, Any]) -> dict[str, Any]:
    """Stop here until a person redrives the execution, which raises its RedriveCount by one.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    if event["redrive_count"] > event.get("parked_redrive_count", 0):
        return {"redriven": True}
    raise NeedsAttention("compensation could not be finished; repair the cause and redrive the execution")


def _text(event: dict[str, Any], name: str, longest: int) -> str:
    """Return the value as text that MongoDB can hold, cut to `longest` characters, never empty."""
    value = event.get(name)
    text = value if isinstance(value, str) else json.dumps(value)
    clean = text.encode("utf-8", "replace").decode().replace("\0", "")
    return clean[:longest] or "unknown"
