"""Saved queries of CloudWatch Logs Insights: kept, and listed by DescribeQueryDefinitions, but never run."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

from embedded_aws.core import api, runtime

_Properties = dict[str, Any]
_QUERY = "query-definition"
_LONGEST_NAME, _LONGEST_QUERY = 255, 10_000
"""API reference, PutQueryDefinition."""


def install() -> None:
    """List saved queries, which MiniStack's service lacks."""
    cloudwatch_logs.handle_request = _with_queries(cloudwatch_logs.handle_request)


def _with_queries(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        if not headers.get("x-amz-target", "").endswith(".DescribeQueryDefinitions"):
            return await stock(method, path, headers, body, query)
        prefix = json.loads(body or b"{}").get("queryDefinitionNamePrefix", "")
        kept = runtime.current().store.all(_QUERY, get_account_id(), get_region())
        found = {"queryDefinitions": [each for each in kept if each["name"].startswith(prefix)]}
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    return handle_request


def _save(identifier: str, properties: _Properties) -> tuple[str, dict[str, Any]]:
    name, text = properties["Name"], properties["QueryString"]
    if not 0 < len(name) <= _LONGEST_NAME or not 0 < len(text) <= _LONGEST_QUERY:
        raise ValueError(f"a query's name has 1 to {_LONGEST_NAME} characters, its text {_LONGEST_QUERY}")
    document = {
        "queryDefinitionId": identifier,
        "name": name,
        "queryString": text,
        "lastModified": int(api.now() * 1000),
        "logGroupNames": properties.get("LogGroupNames", []),
    }
    runtime.current().store.put(_QUERY, get_account_id(), get_region(), identifier, body=document)
    return identifier, {"QueryDefinitionId": identifier}


def _forget(identifier: str, _properties: _Properties) -> None:
    runtime.current().store.delete(_QUERY, get_account_id(), get_region(), identifier)


TYPES: dict[str, dict[str, Any]] = {
    "AWS::Logs::QueryDefinition": {
        "create": lambda _id, properties, _stack: _save(str(uuid.uuid4()), properties),
        "update": lambda identifier, _old, new, _stack: _save(identifier, new),
        "delete": _forget,
    }
}
