"""What should not happen to orders and in functions, as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import StackName
from troposphere.logs import MetricFilter, MetricTransformation

from payment_data.errors import CRASH, Kind
from templates.capabilities.alarms import Symptom
from templates.capabilities.api_gateway import STAGE
from templates.capabilities.metrics import NAMESPACE, Metric, own, total, worse_than_others

if TYPE_CHECKING:
    from collections.abc import Iterable

    from troposphere import AWSHelperFn, Template

    from templates.capabilities.functions import DeployedFunction
    from templates.capabilities.state_machines import Workflow

Functions = dict[str, "DeployedFunction"]

_GUARDS = ("OrderClosed", "DeadlineExceeded")
"""A late request that was refused, as it should be: no sign of a wrong program."""
_OF_CUSTOMERS = "$.order_id != smoke*"
"""The release probe places synthetic orders with older versions too, of which one may be a bad release that
was taken back: what they do wrong there must not take the next release back."""
_UNDOING = ("refund_payment", "release_products", "record_failure")
_FAILING_SHARE = 0.05
"""Of the orders that end in a minute: more than single ones."""
_WORSE = 0.8
"""Nearly every order of the newest release and hardly one of the others: in an incident that fails half of
the orders, no release is above it, however few its orders are."""


def workflow_symptoms(
    template: Template, workflow: Workflow, record_failure: DeployedFunction, release: AWSHelperFn
) -> list[Symptom]:
    """Return what can be wrong with orders as a whole.

    Args:
        template: Where metric filters go.
        workflow: The payment workflow.
        record_failure: Whose log tells of parked orders.
        release: The newest release, as the metric ReleaseFailures has it.
    """
    timed_out, aborted, throttled = (
        Metric("AWS/States", name, {"StateMachineArn": workflow.arn})
        for name in ("ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
    )
    return [
        Symptom(
            "OrdersParked",
            "Customers may have paid for what will not come: their order could not be undone and "
            "waits for a person.",
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
            first="payments order list --parked",
            money=True,
        ),
        Symptom(
            "OrdersFailing",
            "Customers cannot buy: more than one order in twenty fails by a fault of the system.",
            own("TechnicalFailures", "Average"),
            threshold=_FAILING_SHARE,
            minutes=3,
            within=8,
            pages=True,
        ),
        Symptom(
            "ReleaseFailing",
            "Customers whose order runs the newest release cannot buy; those of the one before can.",
            worse_than_others(release),
            threshold=_WORSE,
            minutes=3,
            within=10,
            judges_release=True,
            pages=True,
            page="orders-failing",
        ),
        Symptom(
            "OrdersCutOff",
            "A customer's order stands half-way: somebody stopped its execution, and nothing was undone yet.",
            total("Orders", [timed_out, aborted]),
            threshold=0,
            first="payments order list --state CANCELLING --limit 20",
            money=True,
        ),
        Symptom(
            "OrdersThrottled",
            "Customers wait for their orders: the account's quota of Step Functions is used up.",
            throttled,
            threshold=0,
            minutes=3,
            within=8,
            pages=True,
        ),
    ]


def data_api_symptoms(template: Template, function: DeployedFunction) -> list[Symptom]:
    """Return what can be wrong with the data API.

    Its server errors judge no release: a database that cannot be reached is no fault of its program.
    """
    unexpected = _count_lines(template, "DataApiUnexpected", '{ $.message = "unexpected" }', [function])
    stage: dict[str, AWSHelperFn | str] = {"ApiName": StackName, "Stage": STAGE}
    return [
        Symptom(
            "DataApiErrors",
            "Customers wait for their orders: the data API answers with server errors, and steps retry.",
            Metric("AWS/ApiGateway", "5XXError", stage),
            threshold=5,
            minutes=3,
            within=8,
            pages=True,
        ),
        Symptom(
            "DataApiSlow",
            "Customers may wait: one answer in a hundred of the data API takes over 1.5 s of the 3 it "
            "is given.",
            Metric("AWS/ApiGateway", "Latency", stage, "p99"),
            threshold=1500,
            minutes=5,
            within=10,
        ),
        Symptom(
            "DataApiCrashing",
            "Customers wait for their orders: the data API ends without an answer, or its program is wrong.",
            total("Crashes", [Metric("AWS/Lambda", "Errors", {"FunctionName": function.name}), unexpected]),
            threshold=0,
            minutes=3,
            within=8,
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
            "Customers do not get their money back, and stock stays held: undoing fails again and again.",
            total("Errors", undoing),
            threshold=5,
            minutes=3,
            within=8,
            pages=True,
            first="payments order list --parked",
            money=True,
        ),
        Symptom(
            "FunctionsThrottled",
            "Customers wait for their orders: Lambda refuses to run functions, its concurrency is used up.",
            total("Throttles", throttled),
            threshold=0,
            minutes=3,
            within=8,
            pages=True,
            first="aws lambda get-account-settings --query AccountLimit",
        ),
        Symptom(
            "ContractBroken",
            "A customer's order failed with nothing wrong in it: a step crashed, or asked for what is "
            "not allowed.",
            total(
                "Contracts",
                [
                    _count_problems(
                        template,
                        "ContractErrors",
                        Kind.CONTRACT,
                        steps.values(),
                        without=_GUARDS,
                        customers_only=True,
                    ),
                    _count_problems(template, "Crashes", CRASH, steps.values(), customers_only=True),
                ],
            ),
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
    *,
    customers_only: bool = False,
) -> Metric:
    """Count the problems of one kind that functions log, and return the metric.

    Args:
        template: where the metric filters go, one for each function.
        name: the metric's name, as OrdersParked.
        kind: a value of `payment_data.errors.Kind`, or `CRASH`: the `kind` of a line that tells of a problem.
        functions: whose logs to read.
        without: names of errors that do not count.
        customers_only: whether synthetic orders do not count.
    """
    conditions = [
        f'$.kind = "{kind}"',
        *(f'$.error != "{error}"' for error in without),
        *([_OF_CUSTOMERS] if customers_only else []),
    ]
    return _count_lines(template, name, f"{{ {' && '.join(conditions)} }}", functions)


def _count_lines(
    template: Template, name: str, pattern: str, functions: Iterable[DeployedFunction]
) -> Metric:
    for function in functions:
        counted = MetricTransformation(
            MetricNamespace=NAMESPACE, MetricName=name, MetricValue="1", DefaultValue=0
        )
        lines = MetricFilter(
            f"{function.title}{name}",
            LogGroupName=function.logs.name,
            FilterPattern=pattern,
            MetricTransformations=[counted],
        )
        template.add_resource(lines)
    return Metric(NAMESPACE, name)
