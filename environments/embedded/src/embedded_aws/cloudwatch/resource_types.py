"""AWS::CloudWatch::CompositeAlarm, and AWS::ApplicationSignals::ServiceLevelObjective as a mere record.

Nobody computes an objective's attainment here.
"""

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from embedded_aws.core import registration, type_table

_TARGET = "GraniteServiceVersion20100801"
_APPLICATION_SIGNALS = "application-signals"
_LISTS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    name = type_table.physical_name(stack, logical_id, properties.get("AlarmName"), limit=255)
    return _put(name, properties)


def _update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    if old.get("AlarmName") != new.get("AlarmName"):
        return _create(logical_id or physical_id, new, stack)
    return _put(physical_id, new)


def _put(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    wanted = {
        "AlarmName": name,
        "AlarmRule": properties["AlarmRule"],
        "AlarmDescription": properties.get("AlarmDescription", ""),
        "ActionsEnabled": str(properties.get("ActionsEnabled", True)).lower() != "false",
        "Tags": properties.get("Tags") or [],
        **{key: properties.get(key) or [] for key in _LISTS},
    }
    registration.call_service(cloudwatch, f"{_TARGET}.PutCompositeAlarm", wanted)
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _delete(name: str, _properties: dict[str, Any]) -> None:
    registration.call_service(cloudwatch, f"{_TARGET}.DeleteAlarms", {"AlarmNames": [name]})


def _create_objective(_logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    _check_objective(properties)
    del stack
    arn = f"arn:aws:{_APPLICATION_SIGNALS}:{get_region()}:{get_account_id()}:slo/{properties['Name']}"
    return arn, {"Arn": arn}


def _update_objective(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, Any]]:
    _check_objective(new)
    if old["Name"] != new["Name"]:
        return _create_objective("", new, stack)
    return physical_id, {"Arn": physical_id}


def _delete_objective(_physical_id: str, _properties: dict[str, Any]) -> None:
    """Nothing was made beside the record of the stack."""


def _check_objective(properties: dict[str, Any]) -> None:
    if ("Sli" in properties) == ("RequestBasedSli" in properties):
        raise ValueError("exactly one of Sli and RequestBasedSli is required")
    if float(properties.get("Goal", {}).get("AttainmentGoal", 99)) > 100:  # noqa: PLR2004 - percent
        raise ValueError("AttainmentGoal is a percentage")


TYPES: dict[str, dict[str, Any]] = {
    "AWS::CloudWatch::CompositeAlarm": {
        "create": _create,
        "update": _update,
        "update_with_logical_id": True,
        "delete": _delete,
    },
    "AWS::ApplicationSignals::ServiceLevelObjective": {
        "create": _create_objective,
        "update": _update_objective,
        "delete": _delete_objective,
    },
}
