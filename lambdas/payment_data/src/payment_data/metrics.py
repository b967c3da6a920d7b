"""What a function's log says: metrics in the embedded metric format, and which invocation wrote a line.

A metric is a line of the log: no call, no permission, no waiting. The namespace and the dimension `service`
come from POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME. Values of dimensions are few and never
personal: a step, an error's name, a currency.
"""

import functools
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from payment_data.errors import BY_NAME, Kind

IN_TIME_SECONDS = 60
"""The promise: an order is completed or failed this long after its execution started."""
OTHER_REASON = "Other"
ABANDONED = "Abandoned"
LOST = "LostData"
"""The reason of an order that the sweeper undid."""
SYNTHETIC_PREFIX = "smoke-"
"""Of the ids of orders that smoke tests place."""
_STEP_FUNCTIONS = ("States.", "Lambda.")
_RELEASE = re.compile(r"[0-9a-f]{8}(-[0-9]+)+")
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


def order_ended(event: Mapping[str, Any], *, technical: bool = False, now: datetime | None = None) -> None:
    """Count an order that reached its end, and whether in time and not by a fault; none of a smoke test.

    Args:
        event: the step's: {order_id, started, release?}; `started` is when its execution started, RFC 3339,
            anything else is not in time.
        technical: whether it failed by a fault.
        now: the end; this moment if None.
    """
    if _is_synthetic(event):
        return
    in_time = _seconds_since(event.get("started"), now or datetime.now(UTC)) <= IN_TIME_SECONDS
    count("OrdersEnded")
    count("OrdersEndedInTime", int(in_time and not technical))
    judge_release(event, technical=technical)


def judge_release(event: Mapping[str, Any], *, technical: bool) -> None:
    """Add 0 or 1 to ReleaseFailures of the workflow's release; their average is its share of faults."""
    release = event.get("release")
    if isinstance(release, str) and _RELEASE.fullmatch(release) and not _is_synthetic(event):
        count("ReleaseFailures", int(technical), release=release)


def _is_synthetic(event: Mapping[str, Any]) -> bool:
    return str(event.get("order_id")).startswith(SYNTHETIC_PREFIX)


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
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Payments")
    metric, values = _metric(namespace, name, unit, *dimensions), _json({**dimensions, name: [float(value)]})
    about = f'{{"Timestamp":{int(time.time() * 1000)},"CloudWatchMetrics":[{metric}]}}'
    sys.stdout.write(f'{{"_aws":{about},{values[1:]}\n')


@functools.cache
def _metric(namespace: str, name: str, unit: str, *dimensions: str) -> str:
    """Return what is the same each time: of few names, in the code, and no value."""
    metrics = [{"Name": name, "Unit": unit}]
    return _json({"Namespace": namespace, "Dimensions": [list(dimensions)], "Metrics": metrics})


def invocation(context: object) -> dict[str, Any]:
    """Return the log keys of one invocation: {request_id, function_version}, each None where unknown."""
    return {
        "request_id": getattr(context, "aws_request_id", None),
        "function_version": getattr(context, "function_version", None),
    }
