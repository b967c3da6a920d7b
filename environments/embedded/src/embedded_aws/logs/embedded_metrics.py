"""Metrics out of log lines in CloudWatch's embedded metric format; MiniStack keeps such lines as text alone.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

_MARK = '"_aws"'  # cheaper to look for than to parse every line


def install() -> None:
    """Read every line that reaches a log group."""
    stock = cloudwatch_logs._fanout_to_subscription_filters
    cloudwatch_logs._fanout_to_subscription_filters = _measured(stock)


def datapoints(message: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Yield (namespace, metric, value, unit, dimensions) of a line; nothing if it is not of the format."""
    if _MARK not in message:
        return
    try:
        line = json.loads(message)
        directives = line["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive["Dimensions"]:
            dimensions = {name: str(line[name]) for name in names}
            for metric in directive["Metrics"]:
                reported = line[metric["Name"]]
                for value in reported if isinstance(reported, list) else [reported]:
                    unit = metric.get("Unit", "None")
                    yield directive["Namespace"], metric["Name"], float(value), unit, dimensions


def _measured(stock: Callable[..., None]) -> Callable[..., None]:
    def fan_out(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        for event in events:
            for point in datapoints(event["message"]):
                cloudwatch.record_metric(*point)
        stock(group, stream, events)

    return fan_out
