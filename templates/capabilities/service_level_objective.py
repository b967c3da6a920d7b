"""The service level objective: orders reach their end in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Sub
from troposphere.applicationsignals import (
    BurnRateConfiguration,
    Dimension,
    Goal,
    Interval,
    Metric,
    MetricDataQuery,
    MetricStat,
    MonitoredRequestCountMetric,
    RequestBasedSli,
    RequestBasedSliMetric,
    RollingInterval,
    ServiceLevelObjective,
)

from payment_data.metrics import IN_TIME_SECONDS
from templates.capabilities.metrics import MINUTE

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities import metrics
    from templates.capabilities.state_machines import Workflow

GOAL_PERCENT = 99.9
DAYS = 28


def add_service_level_objective(
    template: Template, environment: Environment, workflow: Workflow, in_time: metrics.Metric
) -> None:
    """Add the objective, where payments are answered at once: a bank takes days.

    Every execution that starts is asked for, so an order that never ends counts against the goal too.
    """
    if "bank_account" in environment.payment_methods:
        return
    started = _query("AWS/States", "ExecutionsStarted", {"StateMachineArn": workflow.arn})
    good = _query(in_time.namespace, in_time.name, in_time.dimensions)
    template.add_resource(
        ServiceLevelObjective(
            "OrdersInTime",
            Name=Sub("${AWS::StackName}-orders-in-time"),
            Description=f"Orders are completed or failed within {IN_TIME_SECONDS} s of their start",
            RequestBasedSli=RequestBasedSli(
                RequestBasedSliMetric=RequestBasedSliMetric(
                    TotalRequestCountMetric=[started],
                    MonitoredRequestCountMetric=MonitoredRequestCountMetric(GoodCountMetric=[good]),
                )
            ),
            Goal=Goal(
                AttainmentGoal=GOAL_PERCENT,
                Interval=Interval(RollingInterval=RollingInterval(Duration=DAYS, DurationUnit="DAY")),
            ),
            BurnRateConfigurations=[BurnRateConfiguration(LookBackWindowMinutes=60)],
        )
    )


def _query(namespace: object, name: str, dimensions: object) -> MetricDataQuery:
    pairs = dict(dimensions)  # type: ignore[call-overload]
    metric = Metric(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[Dimension(Name=key, Value=value) for key, value in pairs.items()],
    )
    return MetricDataQuery(
        Id="counted", MetricStat=MetricStat(Metric=metric, Period=MINUTE, Stat="Sum"), ReturnData=True
    )
