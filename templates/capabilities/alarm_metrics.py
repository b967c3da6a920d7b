"""What should not happen in a payments stack, as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import StackName
from troposphere.logs import MetricFilter, MetricTransformation

from payment_data.errors import Kind
from payment_data.metrics import ABANDONED
from templates.capabilities.alarms import Symptom
from templates.capabilities.data_api_stage import STAGE
from templates.capabilities.metrics import NAMESPACE, Metric, own, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from troposphere import AWSHelperFn, Template

    from templates.capabilities.functions import DeployedFunction
    from templates.capabilities.state_machines import Workflow

Functions = dict[str, "DeployedFunction"]

_GUARDS = ("OrderClosed", "DeadlineExceeded")
"""A late request that was refused, as it should be: no sign of a wrong program."""
_UNDOING = ("refund_payment", "release_products", "record_failure")
_FAILING_SHARE = 0.05
"""Of the orders that end in a minute: less than the tenth that a bad canary fails, more than single ones."""


def workflow_symptoms(
    template: Template, workflow: Workflow, record_failure: DeployedFunction
) -> list[Symptom]:
    """Return what can be wrong with orders as a whole."""
    timed_out, aborted, throttled = (
        Metric("AWS/States", name, {"StateMachineArn": workflow.arn})
        for name in ("ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
    )
    return [
        Symptom(
            "OrdersParked",
            "An order could not be undone and waits for a person.",
            # The line rings at once; what each settlement counts keeps it ringing until none is parked.
            total(
                "Parked",
                [
                    _count_problems(template, "OrdersParked", Kind.PARKED, [record_failure]),
                    own("ParkedOrders", "Maximum"),
                ],
            ),
            threshold=0,
            pages=True,
        ),
        Symptom(
            "OrdersFailing",
            "Orders fail by a fault of the system: more than one in twenty, in three minutes of eight.",
            own("TechnicalFailures", "Average"),
            threshold=_FAILING_SHARE,
            minutes=3,
            within=8,
            judges_release=True,
            pages=True,
        ),
        Symptom(
            "OrdersCutOff",
            "An execution was stopped half-way: nothing was undone.",
            total("Orders", [timed_out, aborted]),
            threshold=0,
        ),
        Symptom(
            "OrdersThrottled",
            "Step Functions slows orders down: the account's quota is used up.",
            throttled,
            threshold=0,
            minutes=3,
            within=8,
            pages=True,
        ),
    ]


def sweeper_symptoms(sweeper: Workflow) -> list[Symptom]:
    """Return what can be wrong with orders that their execution left half-way."""
    return [
        Symptom(
            "OrdersAbandoned",
            "The sweeper undid an order that its execution had left half-way.",
            own("OrdersFailed", reason=ABANDONED),
            threshold=0,
        ),
        Symptom(
            "SweepFailing",
            "The sweeper cannot undo what was left half-way: money or stock is not given back.",
            total(
                "Sweeps",
                [
                    Metric("AWS/States", name, {"StateMachineArn": sweeper.arn})
                    for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
                ],
            ),
            threshold=0,
            within=6,
            pages=True,
        ),
    ]


def settlement_symptoms(settlement: Workflow) -> list[Symptom]:
    """Return what can be wrong with the settlement of orders that are over."""
    return [
        Symptom(
            "SettlementFailing",
            "Orders that are over are not settled: the documents of products and users grow.",
            total(
                "Settlements",
                [
                    Metric("AWS/States", name, {"StateMachineArn": settlement.arn})
                    for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
                ],
            ),
            threshold=0,
            minutes=4,
            within=9,
        ),
    ]


def data_api_symptoms(function: DeployedFunction) -> list[Symptom]:
    """Return what can be wrong with the data API."""
    stage: dict[str, AWSHelperFn | str] = {"ApiName": StackName, "Stage": STAGE}
    return [
        Symptom(
            "DataApiErrors",
            "The data API answers with server errors: steps retry, orders wait.",
            Metric("AWS/ApiGateway", "5XXError", stage),
            threshold=5,
            minutes=3,
            within=8,
            judges_release=True,
            pages=True,
        ),
        Symptom(
            "DataApiSlow",
            "One answer in a hundred of the data API takes over 1.5 s; it is given 3.",
            Metric("AWS/ApiGateway", "Latency", stage, "p99"),
            threshold=1500,
            minutes=5,
            within=10,
        ),
        Symptom(
            "DataApiCrashing",
            "The data API's function ends without an answer.",
            Metric("AWS/Lambda", "Errors", {"FunctionName": function.name}),
            threshold=0,
            minutes=2,
            judges_release=True,
            pages=True,
        ),
    ]


def functions_symptoms(template: Template, steps: Functions, others: Functions) -> list[Symptom]:
    """Return what can be wrong with the functions; an error of a forward step is often a plain no.

    Args:
        template: Where the metric filters go.
        steps: Those of the payment workflow.
        others: Every other one.
    """
    undoing = [_lambda("Errors", steps[name]) for name in _UNDOING]
    throttled = [_lambda("Throttles", function) for function in (steps | others).values()]
    return [
        Symptom(
            "UndoFailing",
            "Refunds, releases or failure records fail again and again: money or stock is not given back.",
            total("Errors", undoing),
            threshold=5,
            minutes=3,
            within=8,
            judges_release=True,
            pages=True,
        ),
        Symptom(
            "FunctionsThrottled",
            "Lambda refuses to run functions: the account's concurrency is used up.",
            total("Throttles", throttled),
            threshold=0,
            minutes=3,
            within=8,
            pages=True,
        ),
        Symptom(
            "ContractBroken",
            "A step asked for what the data API does not allow: a program is wrong.",
            _count_problems(template, "ContractErrors", Kind.CONTRACT, steps.values(), without=_GUARDS),
            threshold=0,
            judges_release=True,
        ),
    ]


def _lambda(name: str, function: DeployedFunction) -> Metric:
    return Metric("AWS/Lambda", name, {"FunctionName": function.name})


def _count_problems(
    template: Template,
    name: str,
    kind: str,
    functions: Iterable[DeployedFunction],
    without: Iterable[str] = (),
) -> Metric:
    """Count the problems of one kind that functions log, and return the metric.

    Args:
        template: where the metric filters go, one for each function.
        name: the metric's name, as OrdersParked.
        kind: a value of `payment_data.errors.Kind`: the `kind` of a line that tells of a problem.
        functions: whose logs to read.
        without: names of errors that do not count.
    """
    conditions = [f'$.kind = "{kind}"', *(f'$.error != "{error}"' for error in without)]
    for function in functions:
        counted = MetricTransformation(
            MetricNamespace=NAMESPACE, MetricName=name, MetricValue="1", DefaultValue=0
        )
        lines = MetricFilter(
            f"{function.title}{name}",
            LogGroupName=function.logs.name,
            FilterPattern=f"{{ {' && '.join(conditions)} }}",
            MetricTransformations=[counted],
        )
        template.add_resource(lines)
    return Metric(NAMESPACE, name)
