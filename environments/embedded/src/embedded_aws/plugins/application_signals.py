"""AWS::ApplicationSignals::ServiceLevelObjective: a part of its stack; nobody computes attainment here."""

from typing import Any

from ministack.core.responses import get_account_id, get_region

_SERVICE = "application-signals"


def _create(_logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    _check(properties)
    del stack
    arn = f"arn:aws:{_SERVICE}:{get_region()}:{get_account_id()}:slo/{properties['Name']}"
    return arn, {"Arn": arn}


def _update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, Any]]:
    _check(new)
    if old["Name"] != new["Name"]:
        return _create("", new, stack)
    return physical_id, {"Arn": physical_id}


def _delete(_physical_id: str, _properties: dict[str, Any]) -> None:
    """Nothing was made beside the record of the stack."""


def _check(properties: dict[str, Any]) -> None:
    if ("Sli" in properties) == ("RequestBasedSli" in properties):
        raise ValueError("exactly one of Sli and RequestBasedSli is required")
    if float(properties.get("Goal", {}).get("AttainmentGoal", 99)) > 100:  # noqa: PLR2004 - percent
        raise ValueError("AttainmentGoal is a percentage")


TYPES: dict[str, dict[str, Any]] = {
    "AWS::ApplicationSignals::ServiceLevelObjective": {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }
}
