"""CodeConnections (and CodeStar Connections, its old name): connections that are available at once.

On AWS a person completes the handshake in the console; here there is nobody to shake hands with.
https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html
"""

from collections.abc import Callable

from embedded_aws.core import api, runtime, type_table
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.core.service import Operation, Service
from embedded_aws.core.type_table import Created

_KIND = "connection"


def _operations(prefix: str) -> dict[str, Operation]:
    def create(scope: Scope, request: Json) -> Json:
        if not request.get("ProviderType") and not request.get("HostArn"):
            raise ApiError("InvalidInputException", "Either ProviderType or HostArn is required")
        connection = {
            "ConnectionName": request["ConnectionName"],
            "ConnectionArn": scope.arn(prefix, f"connection/{api.new_id()}"),
            "ProviderType": request.get("ProviderType", "GitHubEnterpriseServer"),
            "OwnerAccountId": scope.account,
            "ConnectionStatus": "AVAILABLE",
            "Tags": request.get("Tags", []),
        }
        _put(connection)
        return connection

    return {
        "CreateConnection": create,
        "GetConnection": lambda _scope, request: {"Connection": find(request["ConnectionArn"])},
        "ListConnections": _list,
        "DeleteConnection": _delete,
        "TagResource": _tag,
        "UntagResource": _untag,
        "ListTagsForResource": lambda _scope, request: {"Tags": find(request["ResourceArn"])["Tags"]},
    }


def find(arn: str) -> Json:
    """Read a connection, as `GetConnection` shows it.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    parts = arn.split(":")
    is_arn = len(parts) == 6  # noqa: PLR2004 - the parts of an ARN
    connection = runtime.current().store.get(_KIND, parts[4], parts[3], parts[-1]) if is_arn else None
    if connection is None:
        raise ApiError("ResourceNotFoundException", f"Resource not found: {arn}")
    return connection


def _put(connection: Json) -> None:
    parts = connection["ConnectionArn"].split(":")
    runtime.current().store.put(_KIND, parts[4], parts[3], parts[-1], body=connection)


def _list(scope: Scope, request: Json) -> Json:
    connections = runtime.current().store.all(_KIND, scope.account, scope.region)
    wanted = request.get("ProviderTypeFilter")
    listed = [connection for connection in connections if wanted in (None, connection["ProviderType"])]
    asked = {"maxResults": request.get("MaxResults"), "nextToken": request.get("NextToken")}
    page = api.page("Connections", listed, asked)
    return {"Connections": page["Connections"], "NextToken": page["nextToken"]}


def _delete(_scope: Scope, request: Json) -> Json:
    parts = find(request["ConnectionArn"])["ConnectionArn"].split(":")
    runtime.current().store.delete(_KIND, parts[4], parts[3], parts[-1])
    return {}


def _tag(_scope: Scope, request: Json) -> Json:
    connection = find(request["ResourceArn"])
    tags = {tag["Key"]: tag["Value"] for tag in [*connection["Tags"], *request["Tags"]]}
    _put(connection | {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
    return {}


def _untag(_scope: Scope, request: Json) -> Json:
    connection = find(request["ResourceArn"])
    kept = [tag for tag in connection["Tags"] if tag["Key"] not in request["TagKeys"]]
    _put(connection | {"Tags": kept})
    return {}


CODECONNECTIONS = Service("codeconnections", _operations("codeconnections"), invalid="InvalidInputException")
CODESTAR = Service(
    "codestar-connections", _operations("codestar-connections"), invalid="InvalidInputException"
)


_ATTRIBUTES = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")


def _creator(service: Service) -> Callable[[str, Json, str], Created]:
    def create(_logical_id: str, properties: Json, _stack: str) -> Created:
        connection = type_table.perform(service, "CreateConnection", properties)
        return connection["ConnectionArn"], {name: connection[name] for name in _ATTRIBUTES}

    return create


def _delete_resource(arn: str, _properties: Json) -> None:
    try:
        CODECONNECTIONS.perform("DeleteConnection", type_table.scope(), {"ConnectionArn": arn})
    except ApiError:
        return  # deleted by hand before its stack


TYPES = {
    "AWS::CodeConnections::Connection": type_table.handlers(
        _creator(CODECONNECTIONS), None, _delete_resource
    ),
    "AWS::CodeStarConnections::Connection": type_table.handlers(_creator(CODESTAR), None, _delete_resource),
}
