"""Alarms on what customers feel, each with a runbook; their composite; and the service level objective.

An order that is declined or out of stock is business, not an alarm: its execution fails as it should.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import Join, Ref, Sub
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
from troposphere.cloudwatch import Alarm, CompositeAlarm

from payment_data.metrics import IN_TIME_SECONDS
from templates.capabilities.metrics import MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities import metrics
    from templates.capabilities.metrics import Measure

RUNBOOKS = "docs/operations/runbooks"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that should not happen.

    Attributes:
        name: the alarm's logical id; the runbook's file is named after it.
        meaning: one sentence for whoever is woken by it.
        measure: what is measured, once a minute.
        threshold: the alarm counts minutes in which the value is greater.
        minutes: it rings when there are so many of them,
        within: among the last so many.
        judges_release: whether it also stops a deployment and rolls it back.
        pages: whether it is worth waking somebody: money or orders are at stake now. Else it is a ticket.

    `within` is longer than `minutes` by what can be late or lost: CloudWatch gets a minute's points up to two
    minutes later, and a formula with FILL takes the minutes without points for quiet ones, the newest always.
    An alarm on all of the last minutes would then never ring (CloudWatch user guide, "Alarm evaluation" and
    "Using metric math", FILL).
    """

    name: str
    meaning: str
    measure: Measure
    threshold: float
    minutes: int = 1
    within: int = 5
    judges_release: bool = False
    pages: bool = False

    @property
    def runbook(self) -> str:
        """The path of its runbook: OrdersParked has orders-parked.md."""
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.name)
        return f"{RUNBOOKS}/{words.strip('-')}.md"


@dataclass(frozen=True, slots=True)
class Alarms:
    """What others may use of the alarms."""

    release: tuple[Ref, ...]
    """Those that judge a deployment."""
    health: Ref
    """The composite alarm's name."""
    every: tuple[Ref, ...]
    """Each alarm on one symptom."""


def add_alarms(template: Template, environment: Environment, symptoms: Sequence[Symptom]) -> Alarms:
    """Add an alarm for each symptom and `Health`, which rings when any of them does.

    Each alarm tells the environment's topic itself, so that none hides behind another that rings already: a
    composite alarm acts when its state changes, and no more while it stays in ALARM (CloudWatch user guide,
    "Combining alarms").
    """
    watched = [
        symptom for symptom in symptoms if symptom.judges_release or not environment.alarms.release_only
    ]
    alarms = {symptom.name: _add_alarm(template, environment, symptom) for symptom in watched}
    health = CompositeAlarm(
        "Health",
        # So that policies can tell it from another environment's, whatever CloudFormation would call it.
        AlarmName=Sub("${AWS::StackName}-Health"),
        AlarmDescription=f"Something that customers feel is wrong. Runbook: {RUNBOOKS}/health.md",
        AlarmRule=Join(" OR ", [Sub(f'ALARM("${{{alarm.title}}}")') for alarm in alarms.values()]),
    )
    template.add_resource(health)
    release = tuple(Ref(alarms[symptom.name]) for symptom in watched if symptom.judges_release)
    return Alarms(release=release, health=Ref(health), every=tuple(map(Ref, alarms.values())))


def _add_alarm(template: Template, environment: Environment, symptom: Symptom) -> Alarm:
    topics = environment.alarms
    topic = topics.page_topic_arn if symptom.pages else topics.ticket_topic_arn
    notified: dict[str, Any] = {"AlarmActions": [topic], "OKActions": [topic]} if topic else {}
    alarm = Alarm(
        f"{symptom.name}Alarm",
        AlarmDescription=f"{symptom.meaning} Runbook: {symptom.runbook}",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=symptom.threshold,
        EvaluationPeriods=symptom.within,
        DatapointsToAlarm=symptom.minutes,
        # A minute without orders is a quiet minute, not a broken one.
        TreatMissingData="notBreaching",
        **symptom.measure.alarm_properties(),
        **notified,
    )
    template.add_resource(alarm)
    return alarm


GOAL_PERCENT = 99.9
GOAL_DAYS = 28


def add_service_level_objective(
    template: Template, environment: Environment, ended: metrics.Metric, in_time: metrics.Metric
) -> None:
    """Add the objective, where payments are answered at once: a bank takes days.

    Orders are counted when they end, and those of smoke tests never. Every order ends: what its execution
    left half-way is ended by the sweeper, late, and counts against the goal.
    """
    if "bank_account" in environment.payment_methods:
        return
    total = _counted(ended.namespace, ended.name, ended.dimensions)
    good = _counted(in_time.namespace, in_time.name, in_time.dimensions)
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
                Interval=Interval(RollingInterval=RollingInterval(Duration=GOAL_DAYS, DurationUnit="DAY")),
            ),
            BurnRateConfigurations=[BurnRateConfiguration(LookBackWindowMinutes=60)],
        )
    )


def _counted(namespace: object, name: str, dimensions: object) -> MetricDataQuery:
    pairs = dict(dimensions)  # type: ignore[call-overload]
    metric = Metric(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[Dimension(Name=key, Value=value) for key, value in pairs.items()],
    )
    return MetricDataQuery(
        Id="counted", MetricStat=MetricStat(Metric=metric, Period=MINUTE, Stat="Sum"), ReturnData=True
    )
