"""CloudFormation properties turned into the requests of the API, guided by the API's own model."""

from typing import Any

from botocore.model import Shape

from embedded_aws.core import api_model

_TRUE = {"true", "yes"}


def request(service: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Spell properties as an operation's request: PascalCase names as the model has them, text as numbers."""
    shape = api_model.service_model(service).operation_model(operation).input_shape
    spelled: dict[str, Any] = converted(shape, properties) if shape else {}
    return spelled


def converted(shape: Any, value: Any) -> Any:
    """Spell one value as its shape asks; what the shape does not know is dropped."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        return {
            names[key.lower()]: converted(shape.members[names[key.lower()]], member)
            for key, member in value.items()
            if key.lower() in names
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [converted(shape.member, member) for member in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: converted(shape.value, member) for key, member in value.items()}
    return _scalar(shape, value)


def _scalar(shape: Shape, value: Any) -> Any:
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() in _TRUE
    if shape.type_name in {"integer", "long"} and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    if shape.type_name == "string" and isinstance(value, int | float):
        return str(value)
    return value
