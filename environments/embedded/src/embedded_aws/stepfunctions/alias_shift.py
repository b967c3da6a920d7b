"""An alias moving to another version: at once, as a canary or step by step, and back when an alarm rings.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html
Intervals are minutes on AWS; here they are scaled like every wait of Step Functions.
"""

from typing import Any

from ministack.services import cloudwatch, stepfunctions

from embedded_aws.core import waiting

_POLL_SECONDS = 0.05


def target(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where a template's alias ends up: its routing, or all on its preference's version."""
    if preference := properties.get("DeploymentPreference"):
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": route["StateMachineVersionArn"], "weight": int(route["Weight"])}
        for route in properties["RoutingConfiguration"]
    ]


def shift(alias_arn: str, properties: dict[str, Any]) -> None:
    """Move the alias as its DeploymentPreference says.

    Raises:
        ValueError: an alarm of the preference rang; the alias is back where it was.
    """
    alias = stepfunctions._state_machine_aliases[alias_arn]
    before, after = [dict(route) for route in alias["routingConfiguration"]], target(properties)
    preference = properties.get("DeploymentPreference") or {}
    if before != after:
        for percentage in _steps(preference):
            _route(alias_arn, _mixed(before, after, percentage))
            if alarm := _rang(preference):
                _route(alias_arn, before)
                raise ValueError(
                    f"Alarm {alarm} went into ALARM: the alias was rolled back to its version before"
                )
    _route(alias_arn, after, properties.get("Description", ""))


def _steps(preference: dict[str, Any]) -> list[int]:
    """Percentages on the new version before it has all, each for one interval."""
    percentage = int(preference.get("Percentage") or 100)
    kind = preference.get("Type", "ALL_AT_ONCE")
    if kind == "CANARY":
        return [percentage]
    return list(range(percentage, 100, percentage)) if kind == "LINEAR" else []


def _mixed(
    before: list[dict[str, Any]], after: list[dict[str, Any]], percentage: int
) -> list[dict[str, Any]]:
    old = max(before, key=lambda route: route["weight"])
    if old["stateMachineVersionArn"] == after[0]["stateMachineVersionArn"] or percentage >= 100:  # noqa: PLR2004 - per cent
        return after
    return [{**old, "weight": 100 - percentage}, {**after[0], "weight": percentage}]


def _rang(preference: dict[str, Any]) -> str | None:
    """Watch the preference's alarms for one interval; return the one that rings, or None."""
    minutes = float(preference.get("Interval") or 0)
    seconds = minutes * 60 * stepfunctions._SFN_WAIT_SCALE
    names = [str(alarm.rsplit(":", 1)[-1]) for alarm in preference.get("Alarms") or []]

    def ringing() -> str | None:
        cloudwatch._evaluate_all_alarms()
        return next((name for name in names if _state(name) == "ALARM"), None)

    return waiting.wait_for(ringing, seconds=seconds, every=_POLL_SECONDS)


def _state(alarm: str) -> str | None:
    record = cloudwatch._alarms.get(alarm) or cloudwatch._composite_alarms.get(alarm)
    return str(record["StateValue"]) if record else None


def _route(alias_arn: str, routing: list[dict[str, Any]], description: str | None = None) -> None:
    request: dict[str, Any] = {"stateMachineAliasArn": alias_arn, "routingConfiguration": routing}
    if description is not None:
        request["description"] = description
    status, _, body = stepfunctions._update_state_machine_alias(request)
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise ValueError(body.decode())
