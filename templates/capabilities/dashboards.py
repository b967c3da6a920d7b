"""Two dashboards, what the business and an operator ask; and queries of logs, kept for a bad day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from troposphere import AWSHelperFn, Ref, StackName, Sub
from troposphere.cloudwatch import Dashboard
from troposphere.logs import QueryDefinition

from templates.capabilities.api_gateway import STAGE
from templates.capabilities.metrics import MINUTE, NAMESPACE, Metric, own
from templates.definitions.payment_workflow import SUBSTITUTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from templates.capabilities.functions import DeployedFunction
    from templates.capabilities.state_machines import Workflow


_COLUMNS, _WIDTH, _HEIGHT = 24, 8, 6
Widget = dict[str, Any]


def add_dashboards(
    template: Template,
    workflow: Workflow,
    functions: dict[str, DeployedFunction],
    alarms: Sequence[Ref],
    release: AWSHelperFn,
) -> None:
    """Add both, named after the stack, so that policies can tell those of two environments apart.

    Each begins with what was deployed last, and with a line for each release: a deployment is where one
    begins and the one before ends. A marker at a fixed time would make two deployments of a template differ.
    """
    deployed = _deployed(release)
    _add(template, "BusinessDashboard", [*deployed, *_business()])
    _add(template, "TechnicalDashboard", [*deployed, *_technical(workflow, functions, alarms)])


def _deployed(release: AWSHelperFn) -> list[Widget]:
    told = (
        f"### Deployed last\n\nRelease `{_text(release)}` of the workflow: its definition and its functions'"
        " versions.\n\nVersion `${PaymentWorkflowVersion}`"
    )
    return [
        {"type": "text", "properties": {"markdown": told}},
        _searched("Orders, by release of the workflow", "ReleaseFailures", "release", "SampleCount"),
    ]


def _business() -> list[Widget]:
    return [
        _lines("Orders", [(own("OrdersPlaced"), "placed"), (own("OrdersNeedingAttention"), "parked")]),
        _searched("Orders failed, by reason", "OrdersFailed", "reason"),
        _lines("Orders failed by a fault of the system", [(own("TechnicalFailures"), "technical")]),
        _searched("Amount placed, in minor units, by currency", "AmountPlaced", "currency"),
        _searched("Undone, by step", "Compensations", "step"),
        _lines("Parked orders, at a settlement", [(own("ParkedOrders", "Maximum"), "parked")]),
        _lines(
            "Oldest unfinished order, at a sweep, s", [(own("OldestUnfinishedSeconds", "Maximum"), "age")]
        ),
        _lines(
            "Orders at their end", [(own("OrdersEnded"), "all"), (own("OrdersEndedInTime"), "within 60 s")]
        ),
    ]


def _technical(
    workflow: Workflow, functions: dict[str, DeployedFunction], alarms: Sequence[Ref]
) -> list[Widget]:
    stage: dict[str, AWSHelperFn | str] = {"ApiName": StackName, "Stage": STAGE}
    executions = {"StateMachineArn": workflow.arn}
    return [
        {"type": "alarm", "properties": {"title": "Alarms", "alarms": [_text(_arn(a)) for a in alarms]}},
        _lines(
            "Executions",
            [
                (Metric("AWS/States", f"Executions{end}", executions), end.lower())
                for end in ("Started", "Succeeded", "Failed", "Aborted", "TimedOut")
            ],
        ),
        _searched("Share of orders failed by a fault, by release", "ReleaseFailures", "release", "Average"),
        *[
            _lines(
                f"Time of a step, {statistic}, ms",
                [(own("StepDuration", statistic, step=name), name) for name in SUBSTITUTIONS],
            )
            for statistic in ("p50", "p99")
        ],
        _lines(
            "Data API",
            [(Metric("AWS/ApiGateway", name, stage), name) for name in ("Count", "5XXError", "4XXError")],
        ),
        _lines("Data API, ms", [(Metric("AWS/ApiGateway", "Latency", stage, p), p) for p in ("p50", "p99")]),
        *[
            _lines(
                f"Functions: {what.lower()}",
                [
                    (Metric("AWS/Lambda", what, {"FunctionName": function.name}), name)
                    for name, function in functions.items()
                ],
            )
            for what in ("Errors", "Throttles")
        ],
    ]


def _add(template: Template, name: str, widgets: list[Widget]) -> None:
    per_row = _COLUMNS // _WIDTH
    placed = [
        {
            "x": index % per_row * _WIDTH,
            "y": index // per_row * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            **widget,
        }
        for index, widget in enumerate(widgets)
    ]
    body = json.dumps({"start": "-PT3H", "widgets": placed}, sort_keys=True)
    template.add_resource(
        Dashboard(name, DashboardName=Sub(f"${{AWS::StackName}}-{name}"), DashboardBody=Sub(body))
    )


def _lines(title: str, lines: Sequence[tuple[Metric, str]]) -> Widget:
    return _graph(
        title, [[*_path(metric), {"stat": metric.statistic, "label": label}] for metric, label in lines]
    )


def _searched(title: str, metric: str, dimension: str, statistic: str = "Sum") -> Widget:
    """Draw a line for each value of a dimension that there is."""
    schema = f'{{"{_text(NAMESPACE)}",{dimension},service}}'
    search = (
        f"SEARCH('{schema} MetricName=\"{metric}\" service=\"{_text(StackName)}\"', '{statistic}', {MINUTE})"
    )
    label = f"${{!PROP('Dim.{dimension}')}}"  # `${!` is how Fn::Sub writes `${`
    return _graph(title, [[{"expression": search, "label": label}]])


def _graph(title: str, metrics: list[list[Any]]) -> Widget:
    about = {
        "title": title,
        "metrics": metrics,
        "period": MINUTE,
        "region": "${AWS::Region}",
        "view": "timeSeries",
    }
    return {"type": "metric", "properties": about}


def _path(metric: Metric) -> list[str]:
    pairs = [_text(part) for pair in metric.dimensions.items() for part in pair]
    return [_text(metric.namespace), metric.name, *pairs]


def _arn(alarm: Ref) -> Sub:
    name = _text(alarm)
    return Sub(f"arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{name}")


def _text(value: AWSHelperFn | dict[str, Any] | str) -> str:
    """Return a value as `Fn::Sub` writes it inside a text."""
    if isinstance(value, str):
        return value
    [(function, argument)] = (value if isinstance(value, dict) else value.to_dict()).items()
    match function, argument:
        case "Ref", name:
            return f"${{{name}}}"
        case "Fn::GetAtt", [name, attribute]:
            return f"${{{name}.{attribute}}}"
        case "Fn::Join", [between, parts]:
            return str(between).join(map(_text, parts))
    return str(argument)


_FIELDS = "fields @timestamp, @log, message, error, kind, detail, route, status, request_id, function_version"
QUERIES = {
    "OneOrder": ("one order", f"{_FIELDS} | filter order_id = 'ORDER' | sort @timestamp asc | limit 1000"),
    "FailuresByError": (
        "failures by error",
        "fields @timestamp | filter ispresent(error) | stats count(*) as failures by error, kind, bin(5m)",
    ),
    "FailuresByVersion": (
        "failures by function version",
        "fields @timestamp | filter ispresent(error) | stats count(*) as failures by @log, function_version",
    ),
    "SlowRequests": (
        "slow requests",
        "fields @timestamp, route, status, milliseconds | filter milliseconds > 999 | sort milliseconds desc",
    ),
}
"""By logical id: what each is called after its stack's name, and its text."""


def add_saved_queries(template: Template, functions: Sequence[DeployedFunction]) -> None:
    """Add the queries over the logs of these functions, each in a folder of the stack's name."""
    for title, (name, text) in QUERIES.items():
        template.add_resource(
            QueryDefinition(
                f"{title}Query",
                Name=Sub(f"${{AWS::StackName}}/{name}"),
                QueryString=text,
                LogGroupNames=[function.logs.name for function in functions],
            )
        )
