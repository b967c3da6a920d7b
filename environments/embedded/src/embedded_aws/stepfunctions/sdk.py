"""AWS SDK integrations: any call of any service, made as the workflow's role at this instance's endpoint.

Arguments and results have the names of the Java SDK's classes, and so have errors.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import json
import re
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError
from botocore.model import ServiceModel, Shape

from embedded_aws.core.api import Scope
from embedded_aws.iam import role_sessions
from embedded_aws.stepfunctions.records import Error

_MODULES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "rdsdata": "rds-data",
    "sfn": "stepfunctions",
}
"""The Java SDK's modules that boto3 calls otherwise."""
_BASES = {
    "DynamoDB": "AmazonDynamoDBException",
    "SQS": "AmazonSQSException",
    "StepFunctions": "AWSStepFunctionsException",
}
"""Optimized integrations whose base is that of the Java SDK's first version, as recorded."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")


def session(ctx: dict[str, Any]) -> role_sessions.RoleSession:
    """Return the session in which an execution does what its role may; one for all of its tasks.

    Raises:
        NotAuthorized: the role does not trust Step Functions.
    """
    if "session" not in ctx:
        _, _, _, region, account, *_ = ctx["Execution"]["Id"].split(":")
        role, name = ctx["Execution"]["RoleArn"], ctx["Execution"]["Name"]
        ctx["session"] = role_sessions.assume_for_service(
            Scope(account, region), role, "states.amazonaws.com", name[:64]
        )
    assumed: role_sessions.RoleSession = ctx["session"]
    return assumed


def call(module: str, action: str, arguments: dict[str, Any], ctx: dict[str, Any], prefix: str = "") -> Any:
    """Make a call, and return its result.

    Args:
        module: the service, as the Java SDK calls its module.
        action: the call, in lower camel case.
        arguments: its arguments, under names that begin in upper case.
        ctx: the context object.
        prefix: what comes before the error's name; the Java SDK's name of the service when empty.

    Raises:
        ExecutionError: there is no such call, or it failed.
    """
    resource = f"aws-sdk:{module}:{action}"
    try:
        client = session(ctx).client(_MODULES.get(module, module))
    except (UnknownServiceError, role_sessions.NotAuthorized) as error:
        raise Error("States.Runtime", f"{resource}: {error}") from None
    name = f"{action[:1].upper()}{action[1:]}"
    model = client.meta.service_model
    if name not in model.operation_names:
        raise Error("States.Runtime", f"The resource {resource} is no call of the service")
    operation = model.operation_model(name)
    service = prefix or _java(model.metadata["serviceId"])
    try:
        method = getattr(client, next(k for k, v in client.meta.method_to_api_mapping.items() if v == name))
        answer = method(**_wired(operation.input_shape, arguments))
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise Error(f"{service}.{_class_name(code, service, model)}", text) from None
    except BotoCoreError as error:
        raise Error(f"{service}.{_BASES.get(service, f'{service}Exception')}", str(error)) from None
    answer.pop("ResponseMetadata", None)
    return _shown(operation.output_shape, answer)


def _class_name(code: str, service: str, model: ServiceModel) -> str:
    """Return the Java SDK's class of an error: the service's base where the model has no such error."""
    for shape in model.error_shapes:
        if code in {shape.name, shape.metadata.get("error", {}).get("code")}:
            return shape.name if shape.name.endswith("Exception") else f"{shape.name}Exception"
    return _BASES.get(service, f"{service}Exception")


def _java(service_id: str) -> str:
    return "".join(word[0].upper() + word[1:].lower() for word in _WORD.findall(service_id))


def _wired(shape: Shape | None, value: Any) -> Any:
    """Give members the names that the service has for them; what is null is left out."""
    if shape is not None and shape.type_name == "structure" and isinstance(value, dict):
        members: dict[str, Shape] = shape.members  # type: ignore[attr-defined] # a structure's
        names = {_upper(name): name for name in members}
        wired = {str(names.get(key, key)): each for key, each in value.items()}
        return {key: _wired(members.get(key), each) for key, each in wired.items() if each is not None}
    if shape is not None and shape.type_name == "list" and isinstance(value, list):
        return [_wired(shape.member, each) for each in value]  # type: ignore[attr-defined] # a list's
    if shape is not None and shape.type_name == "map" and isinstance(value, dict):
        return {key: _wired(shape.value, each) for key, each in value.items()}  # type: ignore[attr-defined] # a map's
    written = {"string": dict | list, "blob": dict | list | bool | int | float}
    if shape is not None and isinstance(value, written.get(shape.type_name, ())):
        return json.dumps(value, separators=(",", ":"))  # Step Functions writes out what must be a string
    return value


def _shown(shape: Shape | None, value: Any) -> Any:
    """Give members names that begin in upper case, and write moments as text."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if shape is not None and shape.type_name == "structure" and isinstance(value, dict):
        members: dict[str, Shape] = shape.members  # type: ignore[attr-defined] # a structure's
        return {_upper(str(key)): _shown(members.get(str(key)), each) for key, each in value.items()}
    if shape is not None and shape.type_name == "list" and isinstance(value, list):
        return [_shown(shape.member, each) for each in value]  # type: ignore[attr-defined] # a list's
    if shape is not None and shape.type_name == "map" and isinstance(value, dict):
        return {key: _shown(shape.value, each) for key, each in value.items()}  # type: ignore[attr-defined] # a map's
    if hasattr(value, "read"):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
