"""What an alarm measures, once a minute: a metric of AWS or of the stack's own, or a formula over a few."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from troposphere import AWSHelperFn, StackName, Sub, cloudwatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn


MINUTE = 60


class Measure(Protocol):
    """Something that an alarm can compare with a threshold."""

    def alarm_properties(self) -> dict[str, Any]:
        """Return the properties of AWS::CloudWatch::Alarm that say what is measured."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        namespace: as AWS/Lambda.
        name: as Errors.
        dimensions: which of them.
        statistic: Sum, Average, SampleCount, Maximum, or a percentile as p99.
        period: over so many seconds.
    """

    namespace: AWSHelperFn | str
    name: str
    dimensions: Mapping[str, AWSHelperFn | str] = field(default_factory=dict)
    statistic: str = "Sum"
    period: int = MINUTE

    def alarm_properties(self) -> dict[str, Any]:
        """Return {Namespace, MetricName, Dimensions, Period, Statistic} of an alarm on this metric alone."""
        percentile = self.statistic.startswith("p")
        key = "ExtendedStatistic" if percentile else "Statistic"
        # The 99th percentile of five requests is the slowest of them, which says nothing.
        few = {"EvaluateLowSampleCountPercentile": "ignore"} if percentile else {}
        return few | {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": self._dimensions(),
            "Period": self.period,
            key: self.statistic,
        }

    def query(self, query_id: str) -> cloudwatch.MetricDataQuery:
        """Return it as a part of a formula."""
        metric = cloudwatch.Metric(
            Namespace=self.namespace, MetricName=self.name, Dimensions=self._dimensions()
        )
        stat = cloudwatch.MetricStat(Metric=metric, Period=self.period, Stat=self.statistic)
        return cloudwatch.MetricDataQuery(Id=query_id, MetricStat=stat, ReturnData=False)

    def _dimensions(self) -> list[cloudwatch.MetricDimension]:
        return [cloudwatch.MetricDimension(Name=name, Value=value) for name, value in self.dimensions.items()]


@dataclass(frozen=True, slots=True)
class Formula:
    """A value computed from metrics by CloudWatch's metric math, which names them by their key here."""

    text: str
    label: str
    metrics: Mapping[str, Metric]

    def alarm_properties(self) -> dict[str, Any]:
        """Return {Metrics}, of an alarm on the computed value."""
        computed = cloudwatch.MetricDataQuery(
            Id="computed", Expression=self.text, Label=self.label, ReturnData=True
        )
        return {"Metrics": [computed, *(metric.query(name) for name, metric in self.metrics.items())]}


def total(label: str, metrics: Sequence[Metric]) -> Formula:
    """Return the sum of metrics; a missing one counts as nothing."""
    named = {f"m{index}": metric for index, metric in enumerate(metrics)}
    return Formula(" + ".join(f"FILL({name}, 0)" for name in named), label, named)


def absence(label: str, metric: Metric) -> Formula:
    """Return 1 for a period in which a metric adds up to nothing or has no points, else 0.

    Whether FILL gives a value where a metric had no point in all of the alarm's window is not said. So an
    alarm on silence rings while the window still holds the last point, and keeps its state then.
    """
    return Formula("IF(FILL(m0, 0) > 0, 0, 1)", label, {"m0": metric})


NAMESPACE = Sub("Payments/${AWS::StackName}")
"""Of the metrics that the functions write (`payment_data.metrics`), and of those counted from their logs."""


def own(name: str, statistic: str = "Sum", **dimensions: AWSHelperFn | str) -> Metric:
    """Return one of them; Powertools adds the dimension `service`, which is the stack."""
    return Metric(NAMESPACE, name, {**dimensions, "service": StackName}, statistic)


def worse_than_others(release: AWSHelperFn) -> Formula:
    """Return how much larger the share of faults is in a release than in the orders of all others.

    The newest release alone would be judged by an incident that has nothing to do with it, and all orders
    together hide a canary. Where only one release has orders there is nothing to compare with: then
    ContractBroken and DataApiCrashing tell a wrong program, and the smoke test whatever else.
    """
    metrics = {
        "faults": own("ReleaseFailures", release=release),
        "ended": own("ReleaseFailures", "SampleCount", release=release),
        "all_faults": own("TechnicalFailures"),
        "all_ended": own("TechnicalFailures", "SampleCount"),
    }
    others = "(all_faults - faults) / (all_ended - ended)"
    return Formula(f"IF(all_ended > ended, faults / ended - {others}, 0)", "WorseThanOthers", metrics)
