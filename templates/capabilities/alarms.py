"""Alarms on what customers feel, each with a runbook; their composite; and the service level objective.

An order that is declined or out of stock is business, not an alarm: its execution fails as it should.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    from collections.abc import Iterable, Sequence

    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities import metrics
    from templates.capabilities.metrics import Measure

RUNBOOKS = "docs/operations/runbooks"
_PAGING = (
    ("Money", True, "Money or stock is at stake now."),
    ("Availability", False, "Orders cannot be placed as they should."),
)
"""Composite alarms over those that page: its name, whether its members are about money, and what it means."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that should not happen.

    Attributes:
        name: the alarm's logical id; the runbook's file is named after it.
        meaning: one sentence for whoever is woken by it: what customers feel, where they feel it.
        measure: what is measured, in most alarms once a minute.
        threshold: the alarm counts minutes in which the value is greater.
        minutes: it rings when there are so many of them,
        within: among the last so many.
        judges_release: whether it also stops a deployment and rolls it back.
        pages: whether it is worth waking somebody: money or orders are at stake now. Else it is a ticket.
        missing: what a period without any value means. A minute without orders is a quiet minute, not a
            broken one; `ignore` keeps the state, where silence itself is the symptom: a new stack waits for
            its first point.
        first: the command to begin with, which a drill has run.
        page: the runbook's name, if it has none of its own.
        money: whether money or stock is at stake, and not only whether orders can be placed.

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
    missing: Literal["notBreaching", "ignore"] = "notBreaching"
    first: str = "payments smoke"
    page: str | None = None
    money: bool = False

    @property
    def runbook(self) -> str:
        """The name of its runbook: OrdersParked has orders-parked."""
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.name)
        return self.page or words.strip("-")


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
    """Add an alarm for each symptom, and composite ones: `Money`, `Availability`, and `Health` over all.

    Each alarm tells the environment's topic itself, so that none hides behind another that rings already: a
    composite alarm acts when its state changes, and no more while it stays in ALARM (CloudWatch user guide,
    "Combining alarms"). So the composite ones tell nobody: they are what a person and a dashboard look at.
    """
    watched = [
        symptom for symptom in symptoms if symptom.judges_release or not environment.alarms.release_only
    ]
    alarms = {symptom.name: _add_alarm(template, environment, symptom) for symptom in watched}
    health = _add_composite(
        template, environment, "Health", "Something that customers feel is wrong.", alarms.values()
    )
    if not environment.alarms.release_only:
        for name, money, meaning in _PAGING:
            members = [alarms[part.name] for part in watched if part.pages and part.money is money]
            _add_composite(template, environment, name, meaning, members)
    release = tuple(Ref(alarms[symptom.name]) for symptom in watched if symptom.judges_release)
    return Alarms(release=release, health=health, every=tuple(map(Ref, alarms.values())))


def _add_composite(
    template: Template, environment: Environment, name: str, meaning: str, members: Iterable[Alarm]
) -> Ref:
    composite = CompositeAlarm(
        name,
        # So that policies can tell it from another environment's, whatever CloudFormation would call it.
        AlarmName=Sub(f"${{AWS::StackName}}-{name}"),
        AlarmDescription=f"{meaning} Runbook: {_runbook(environment, 'health')}",
        AlarmRule=Join(" OR ", [Sub(f'ALARM("${{{alarm.title}}}")') for alarm in members]),
    )
    template.add_resource(composite)
    return Ref(composite)


def _runbook(environment: Environment, name: str) -> str:
    """Return where a runbook is: on the docs site, or in the repository where no site is named."""
    site = environment.alarms.docs_url
    return f"{RUNBOOKS}/{name}.md" if site is None else f"{site}/operations/runbooks/{name}.html"


def _add_alarm(template: Template, environment: Environment, symptom: Symptom) -> Alarm:
    topics = environment.alarms
    topic = topics.page_topic_arn if symptom.pages else topics.ticket_topic_arn
    runbook = _runbook(environment, symptom.runbook)
    notified: dict[str, Any] = {"AlarmActions": [topic], "OKActions": [topic]} if topic else {}
    alarm = Alarm(
        f"{symptom.name}Alarm",
        AlarmDescription=f"{symptom.meaning} First: `{symptom.first}`. Runbook: {runbook}",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=symptom.threshold,
        EvaluationPeriods=symptom.within,
        DatapointsToAlarm=symptom.minutes,
        TreatMissingData=symptom.missing,
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
