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

GOAL_PERCENT = 99.9
DAYS = 28


def add_service_level_objective(
    template: Template, environment: Environment, ended: metrics.Metric, in_time: metrics.Metric
) -> None:
    """Add the objective, where payments are answered at once: a bank takes days.

    Orders are counted when they end, and those of smoke tests never. Every order ends: what its execution
    left half-way is ended by the sweeper, late, and counts against the goal.
    """
    if "bank_account" in environment.payment_methods:
        return
    total = _query(ended.namespace, ended.name, ended.dimensions)
    good = _query(in_time.namespace, in_time.name, in_time.dimensions)
    template.add_resource(
        ServiceLevelObjective(
            "OrdersInTime",
            Name=Sub("${AWS::StackName}-orders-in-time"),
            Description=f"Orders are placed, or refused for a reason of business, in {IN_TIME_SECONDS} s",
            RequestBasedSli=RequestBasedSli(
                RequestBasedSliMetric=RequestBasedSliMetric(
                    TotalRequestCountMetric=[total],
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
