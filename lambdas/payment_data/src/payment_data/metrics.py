"""What a function's log says: metrics in the embedded metric format, and which invocation wrote a line.

A metric is a line of the log: no call, no permission, no waiting. The namespace and the dimension `service`
come from POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME. Values of dimensions are few and never
personal: a step, an error's name, a currency.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from payment_data.errors import BY_NAME, Kind

IN_TIME_SECONDS = 60
"""The promise: an order is completed or failed this long after its execution started."""
OTHER_REASON = "Other"
ABANDONED = "Abandoned"
LOST = "LostData"
"""The reason of an order that the sweeper undid."""
_STEP_FUNCTIONS = ("States.", "Lambda.")
_json = json.JSONEncoder(separators=(",", ":")).encode


def count(name: str, value: float = 1, **dimensions: str) -> None:
    """Add to a count, as OrdersFailed with its `reason`."""
    _record(name, value, "Count", dimensions)


def level(name: str, value: float, unit: str = "Count") -> None:
    """Record how much of something there is now, as ParkedOrders; an alarm on it clears by itself."""
    _record(name, value, unit, {})


def milliseconds(name: str, value: float, **dimensions: str) -> None:
    """Record how long something took, as StepDuration of a `step`."""
    _record(name, value, "Milliseconds", dimensions)


def reason(error: str | None) -> str:
    """Return an error's name as the value of a dimension, and one value for all that nobody foresaw.

    CloudWatch bills each combination of dimensions, and an error's name may come from anywhere.
    """
    listed = error in (ABANDONED, LOST) or error in BY_NAME or (error or "").startswith(_STEP_FUNCTIONS)
    return str(error) if listed else OTHER_REASON


def is_technical(error: str | None) -> bool:
    """Return whether an order that failed with this error failed by a fault, and not by a business answer.

    A sold-out product or a declined payment says nothing about a release; whatever nobody foresaw does.
    """
    known = BY_NAME.get(error or "")
    return known is None or known.kind is not Kind.BUSINESS


def order_ended(started: object, now: datetime | None = None) -> None:
    """Count an order that reached its end, and whether in time.

    Args:
        started: when its execution started, RFC 3339; anything else is not in time.
        now: the end; this moment if None.
    """
    count("OrdersEnded")
    count("OrdersEndedInTime", int(_seconds_since(started, now or datetime.now(UTC)) <= IN_TIME_SECONDS))


def _seconds_since(started: object, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(str(started)).astimezone(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return float("inf")


def _record(name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """Write one metric as a line of the log; Powertools' own takes as long as a read of the database.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    service = os.environ.get("POWERTOOLS_SERVICE_NAME")
    dimensions = dimensions | ({"service": service} if service else {})
    metric = {
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Payments"),
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    sys.stdout.write(_json({"_aws": about, **dimensions, name: [float(value)]}) + "\n")


def invocation(context: object) -> dict[str, Any]:
    """Return the log keys of one invocation: {request_id, function_version}, each None where unknown."""
    return {
        "request_id": getattr(context, "aws_request_id", None),
        "function_version": getattr(context, "function_version", None),
    }
