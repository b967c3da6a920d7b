"""Readings of AWS's documentation that are open to doubt, each a switch: what leans on one is tried with all.

A caller of the instance chooses them (`instance.choose_readings`); each default is what AWS's pages suggest.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from embedded_aws.core import runtime

_SETTING = "readings"


@dataclass(frozen=True, slots=True)
class Readings:
    """How the embedded AWS behaves where AWS's own behaviour is not recorded.

    Attributes:
        rollback_variables: whose variables a stage rollback uses: those of the execution that it goes back to
            (`target`, as the user guide says), or of the one that was last in the stage (`current`).
        rollback_checks_conditions: whether a stage rollback checks the stage's conditions.
        alarm_rule_sees_composites: whether the CloudWatchAlarm rule finds composite alarms. DescribeAlarms
            returns metric alarms alone unless it is asked for both types, so by default it does not: a
            condition that holds here must not be one that AWS cannot check.
    """

    rollback_variables: Literal["target", "current"] = "target"
    rollback_checks_conditions: bool = False
    alarm_rule_sees_composites: bool = False

    def as_setting(self) -> dict[str, Any]:
        """Return what the settings file of an instance holds of them."""
        return {_SETTING: asdict(self)}


def current() -> Readings:
    """Return the readings of this instance, which may change while it runs."""
    return Readings(**runtime.current().setting(_SETTING, {}))
