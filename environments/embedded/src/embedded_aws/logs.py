"""CloudWatch Logs: filter patterns and the metrics of log lines, which MiniStack stores and does not apply.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

A log group that CloudFormation names is named after its stack, as policies expect; MiniStack names a path.
"""

import fnmatch
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch, cloudwatch_logs

from embedded_aws.core import ministack_names as private
from embedded_aws.core import type_table

_COMPARED = re.compile(
    r"\s*\$\.([A-Za-z0-9_.]+)\s*(!?=)\s*(\"[^\"]*\"|-?\d+(?:\.\d+)?|TRUE|FALSE|[A-Za-z0-9]*\*)\s*"
)
_TERM = re.compile(r"([-?]?)(?:\"([^\"]*)\"|([^\s\"]+))")
_WITH_PATTERN = ("FilterLogEvents", "PutMetricFilter", "PutSubscriptionFilter", "TestMetricFilter")
_CONSTANTS = {"TRUE": True, "FALSE": False}


def install() -> None:
    """Take the place of MiniStack's patterns, and read every line that reaches a log group for metrics."""
    private.cloudwatch_logs.compile_filter_pattern = _compiled
    cloudwatch_logs.handle_request = _checked(cloudwatch_logs.handle_request)
    in_stacks = type_table.stock_handlers("AWS::Logs::MetricFilter")
    for operation in ("create", "update"):
        in_stacks[operation] = _checked_in_stacks(in_stacks[operation])
    private.cloudwatch_logs.fanout_to_subscription_filters = _measured(
        _counted(private.cloudwatch_logs.fanout_to_subscription_filters)
    )
    _install_group_names()


def json_pattern(pattern: str) -> Callable[[str], bool] | None:
    """Return a matcher for `{ $.field = value }`, `{ $.field != begin* }`, or several joined by `&&`.

    Returns:
        None for another pattern.
    """
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    compared = [_COMPARED.fullmatch(part) for part in text[1:-1].split("&&")]
    matchers = [_comparison(match[1].split("."), match[2], match[3]) for match in compared if match]
    return None if len(matchers) < len(compared) else lambda message: all(m(message) for m in matchers)


def _comparison(path: list[str], sign: str, text: str) -> Callable[[str], bool]:
    wildcard = text.endswith("*")
    wanted = None if wildcard else _CONSTANTS[text] if text in _CONSTANTS else json.loads(text)

    def matches(message: str) -> bool:
        try:
            value: Any = json.loads(message)
            for name in path:
                value = value[name]
        except (ValueError, KeyError, TypeError):
            return False
        if wildcard:
            same = isinstance(value, str) and fnmatch.fnmatchcase(value, text)
        else:
            same = bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
        return same is (sign == "=")

    return matches


def term_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a matcher for words and "phrases": all of them, any of those with `?`, none of those with `-`.

    As on AWS, `?` counts for nothing beside a term without it.
    """
    terms = [(m[1], m[2] if m[2] is not None else m[3]) for m in _TERM.finditer(pattern)]
    wanted, optional, unwanted = ([term for sign, term in terms if sign == kind] for kind in ("", "?", "-"))

    def matches(message: str) -> bool:
        some = bool(wanted) or not optional or any(term in message for term in optional)
        every = all(term in message for term in wanted)
        return some and every and not any(term in message for term in unwanted)

    return matches


def _compiled(pattern: str | None) -> Callable[[str], bool]:
    return json_pattern(pattern or "") or term_pattern(pattern or "")


def _checked(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse patterns that are not emulated, in whichever call they come."""

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if problem := action in _WITH_PATTERN and _problem(_pattern(body)):
            return error_response_json("InvalidParameterException", problem, 400)
        return await stock(method, path, headers, body, query)

    return handle_request


def _pattern(body: bytes) -> str:
    try:
        return str(json.loads(body).get("filterPattern", ""))
    except ValueError:  # MiniStack refuses it
        return ""


def _problem(pattern: str) -> str | None:
    refused = pattern.strip().startswith("{") and json_pattern(pattern) is None
    return f"the filter pattern {pattern} is not emulated here" if refused else None


def _checked_in_stacks(stock: Callable[..., Any]) -> Callable[..., Any]:
    def made(*arguments: Any, **options: Any) -> Any:
        for properties in arguments:
            problem = isinstance(properties, dict) and _problem(str(properties.get("FilterPattern", "")))
            if problem:
                raise ValueError(problem)
        return stock(*arguments, **options)

    return made


def _counted(stock: Callable[..., None]) -> Callable[..., None]:
    """Every line that reaches a log group passes here."""

    def fan_out(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        for (filtered, _name), metric_filter in list(private.cloudwatch_logs.metric_filters.items()):
            if filtered == group:
                _count(metric_filter, events)
        stock(group, stream, events)

    return fan_out


def _count(metric_filter: dict[str, Any], events: list[dict[str, Any]]) -> None:
    matches = _compiled(metric_filter["filterPattern"])
    hits = sum(1 for event in events if matches(event["message"]))
    for transformation in metric_filter["metricTransformations"]:
        value = float(transformation["metricValue"]) * hits if hits else transformation.get("defaultValue")
        if value is not None:
            cloudwatch.record_metric(
                transformation["metricNamespace"], transformation["metricName"], float(value)
            )


_MARK = '"_aws"'  # cheaper to look for than to parse every line


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


_Properties = dict[str, Any]


def _install_group_names() -> None:
    """Name log groups as CloudFormation does."""
    group = type_table.stock_handlers("AWS::Logs::LogGroup")
    group["create"], group["update"] = _creating_group(group["create"]), _updating_group(group["update"])


def _creating_group(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, properties: _Properties, stack: str) -> Any:
        made_up = f"{stack}-{logical_id}-{uuid.uuid4().hex[:12]}"
        return stock(logical_id, {"LogGroupName": made_up} | properties, stack)

    return create


def _updating_group(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: _Properties, new: _Properties, *rest: Any, **more: Any) -> Any:
        kept = {"LogGroupName": physical_id}
        return stock(physical_id, kept | old, kept | new, *rest, **more)

    return update
