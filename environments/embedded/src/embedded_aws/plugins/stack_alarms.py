"""AWS::CloudWatch::CompositeAlarm, through PutCompositeAlarm."""

from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

_LISTS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
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
    _checked(cloudwatch._put_composite_alarm({}, wanted, is_cbor=False, is_json=True))
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def _delete(name: str, _properties: dict[str, Any]) -> None:
    _checked(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, is_cbor=False, is_json=True))


def _checked(response: tuple[int, dict[str, str], bytes]) -> None:
    status, _, body = response
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise ValueError(f"Resource handler returned message: {body.decode()}")


TYPES: dict[str, dict[str, Any]] = {
    "AWS::CloudWatch::CompositeAlarm": {
        "create": _create,
        "update": _update,
        "update_with_logical_id": True,
        "delete": _delete,
    }
}
