"""What CloudWatch answers about alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.doctor.experiments.declarations import alarm, composite_alarm
from pipelines.doctor.experiments.verdicts import verdict

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount


def alarm_types(lent: LentAccount) -> Diagnosis:
    """Describe a composite alarm with and without asking for its type."""
    stack = lent.stack({"Metric": alarm(), "Composite": composite_alarm("Metric")})
    names = [each.rpartition(":alarm:")[2] or each for each in lent.physical_ids(stack).values()]
    unasked = lent.aws.client("cloudwatch").describe_alarms(AlarmNames=names)
    asked = lent.aws.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    counts = [len(answer.get("CompositeAlarms", [])) for answer in (unasked, asked)]
    return verdict(holds=counts == [0, 1], seen=f"composite alarms unasked and asked for: {counts}")
