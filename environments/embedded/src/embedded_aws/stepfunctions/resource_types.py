"""State machine versions and aliases in stacks, and the properties that MiniStack's state machine drops.

An alias moving to another version: at once, as a canary or step by step, and back when an alarm rings.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html
Intervals are minutes on AWS; here they are scaled like every wait of Step Functions.
"""

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, stepfunctions

from embedded_aws.core import background, registration, type_table
from embedded_aws.core import ministack_names as private
from embedded_aws.stepfunctions import definition_checks, states, versions

_Made = tuple[str, dict[str, Any]]
_Properties = dict[str, Any]
_LOGICAL_ID_LENGTH = 67
"""A machine's name has 80 characters at most (API reference, CreateStateMachine)."""


def install() -> None:
    """Name machines and check definitions as AWS does, keep logging in the API's shape, delete versions."""
    machine = type_table.stock_handlers("AWS::StepFunctions::StateMachine")
    machine["create"] = _create_machine(machine["create"])
    machine["update"] = _update_machine(machine["update"])
    machine["delete"] = _delete_machine(machine["delete"])


def _create_machine(stock: Callable[..., _Made]) -> Callable[..., _Made]:
    def create(logical_id: str, properties: _Properties, stack: str) -> _Made:
        made_up = f"{logical_id[:_LOGICAL_ID_LENGTH]}-{uuid.uuid4().hex[:12]}"
        arn, attributes = stock(logical_id, _named(_api_shaped(properties), made_up), stack)
        _check(arn)
        return arn, attributes

    return create


def _update_machine(stock: Callable[..., _Made]) -> Callable[..., _Made]:
    def update(physical_id: str, old: _Properties, new: _Properties, *rest: Any) -> _Made:
        name = physical_id.rpartition(":")[2]
        return stock(physical_id, _named(_api_shaped(old), name), _named(_api_shaped(new), name), *rest)

    return update


def _delete_machine(stock: Callable[..., None]) -> Callable[..., None]:
    def delete(physical_id: str, properties: _Properties) -> None:
        versions.forget(physical_id)
        stock(physical_id, properties)

    return delete


def _check(arn: str) -> None:
    problem = definition_checks.problem(private.stepfunctions.state_machines[arn]["definition"])
    if problem:
        private.stepfunctions.state_machines.pop(arn)
        raise ValueError(f'Resource handler returned message: "{problem} (Service: Sfn, Status Code: 400)"')


def _api_shaped(properties: _Properties) -> _Properties:
    """LoggingConfiguration with the API's names: they begin in lower case there."""
    if "LoggingConfiguration" not in properties:
        return properties
    return {**properties, "LoggingConfiguration": _lowered(properties["LoggingConfiguration"])}


def _named(properties: _Properties, name: str) -> _Properties:
    """A name that CloudFormation makes up begins with the logical id, never with the stack's name.

    So a policy that is to tell stacks apart needs a name of the stack's own.
    """
    return {"StateMachineName": name} | properties


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lowered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _create_version(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    request = {"stateMachineArn": properties["StateMachineArn"]}
    request |= {"description": properties["Description"]} if "Description" in properties else {}
    request |= (
        {"revisionId": properties["StateMachineRevisionId"]} if "StateMachineRevisionId" in properties else {}
    )
    answer = _call("PublishStateMachineVersion", request)
    arn: str = answer["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def _create_alias(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    request = {
        "name": properties["Name"],
        "description": properties.get("Description", ""),
        "routingConfiguration": target(properties),
    }
    arn: str = _call("CreateStateMachineAlias", request)["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def _update_alias(physical_id: str, old: _Properties, new: _Properties, stack: str) -> _Made:
    if old.get("Name") != new.get("Name"):
        return _create_alias("", new, stack)
    status = private.cloudformation.stacks[stack]["StackStatus"]
    # A stack that rolls back does not bake: what rang may still ring, and it must get back.
    wanted = {**new, "DeploymentPreference": _at_once(new)} if "ROLLBACK" in status else new
    shift(physical_id, wanted)
    return physical_id, {"Arn": physical_id}


def _at_once(properties: _Properties) -> _Properties | None:
    preference = properties.get("DeploymentPreference")
    return preference and {"StateMachineVersionArn": preference["StateMachineVersionArn"]}


def _delete_alias(physical_id: str, _properties: _Properties) -> None:
    with contextlib.suppress(ValueError):  # it is gone already
        _call("DeleteStateMachineAlias", {"stateMachineAliasArn": physical_id})


def _delete_version(physical_id: str, _properties: _Properties) -> None:
    _call("DeleteStateMachineVersion", {"stateMachineVersionArn": physical_id})


def _call(action: str, request: dict[str, Any]) -> dict[str, Any]:
    return registration.call_service(stepfunctions, f"AWSStepFunctions.{action}", request)


TYPES: dict[str, dict[str, Any]] = {
    "AWS::StepFunctions::StateMachineVersion": {
        "create": _create_version,
        "update": lambda _id, _old, new, stack: _create_version("", new, stack),  # every property replaces
        "delete": _delete_version,
    },
    "AWS::StepFunctions::StateMachineAlias": {
        "create": _create_alias,
        "update": _update_alias,
        "delete": _delete_alias,
    },
}


_POLL_SECONDS = 0.05


def target(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where an alias ends up, [{stateMachineVersionArn, weight}]: as routed, or all on one version."""
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
    alias = private.stepfunctions.state_machine_aliases[alias_arn]
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
    seconds = minutes * 60 * states.wait_scale()
    names = [str(alarm.rsplit(":", 1)[-1]) for alarm in preference.get("Alarms") or []]

    def ringing() -> str | None:
        request = {
            "AlarmNames": names,
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "StateValue": "ALARM",
        }
        answer = registration.call_service(
            cloudwatch, "GraniteServiceVersion20100801.DescribeAlarms", request
        )
        alarms = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
        return next((str(alarm["AlarmName"]) for alarm in alarms), None) if names else None

    return background.wait_for(ringing, seconds=seconds, every=_POLL_SECONDS)


def _route(alias_arn: str, routing: list[dict[str, Any]], description: str | None = None) -> None:
    request: dict[str, Any] = {"stateMachineAliasArn": alias_arn, "routingConfiguration": routing}
    if description is not None:
        request["description"] = description
    _call("UpdateStateMachineAlias", request)
