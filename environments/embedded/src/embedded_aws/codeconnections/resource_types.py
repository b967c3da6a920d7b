"""AWS::CodeConnections::Connection and AWS::CodeStarConnections::Connection."""

from collections.abc import Callable

from embedded_aws.codeconnections.service import CODECONNECTIONS, CODESTAR
from embedded_aws.core import type_table
from embedded_aws.core.api import ApiError, Json
from embedded_aws.core.service import Service
from embedded_aws.core.type_table import Created

_ATTRIBUTES = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")


def _creator(service: Service) -> Callable[[str, Json, str], Created]:
    def create(_logical_id: str, properties: Json, _stack: str) -> Created:
        connection = type_table.perform(service, "CreateConnection", properties)
        return connection["ConnectionArn"], {name: connection[name] for name in _ATTRIBUTES}

    return create


def _delete(arn: str, _properties: Json) -> None:
    try:
        CODECONNECTIONS.perform("DeleteConnection", type_table.scope(), {"ConnectionArn": arn})
    except ApiError:
        return  # deleted by hand before its stack


TYPES = {
    "AWS::CodeConnections::Connection": type_table.handlers(_creator(CODECONNECTIONS), None, _delete),
    "AWS::CodeStarConnections::Connection": type_table.handlers(_creator(CODESTAR), None, _delete),
}
