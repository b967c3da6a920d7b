"""What a request to one of our services acts on, and what MiniStack names wrongly for its own."""

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions

from embedded_aws.core.api import Json, Scope, parameter

_OF_EVERY_STACK = {"DescribeStacks", "ListStacks"}
"""Without a name they act on all stacks, which AWS calls `stack/*/*` when it refuses them."""
_Extract = Callable[..., str]


def install() -> None:
    """Let MiniStack's own resource lookup answer for our services, too."""
    iam_actions.extract_resource_arn = _extended(iam_actions.extract_resource_arn)
    iam_actions.request_tag_context = _with_namespace(iam_actions.request_tag_context)


def _extended(original: _Extract) -> _Extract:

    def extract(  # noqa: PLR0917 - the signature is MiniStack's
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        if service not in _RESOURCES:
            resource = original(service, method, path, headers, body, query, region, account)
            if service == "s3":
                return _object(resource, path)
            if (
                service == "cloudformation"
                and parameter(query or {}, "Action") in _OF_EVERY_STACK
                and resource == "*"
            ):
                return Scope(account, region).arn("cloudformation", "stack/*/*")
            if service == "states":
                return str(_parsed(body).get("stateMachineAliasArn") or resource)
            if service == "events":  # the default bus is no part of a rule's ARN
                return resource.replace(":rule/default/", ":rule/")
            return _log_stream(resource, headers, body) if service == "logs" else resource
        return _RESOURCES[service](Scope(account, region), _parsed(body), query)

    return extract


def _with_namespace(original: Callable[..., Json]) -> Callable[..., Json]:
    """A metric has no ARN: policies bind who writes one by `cloudwatch:namespace`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """

    def context(service: str, action: str, body: bytes, params: Json) -> Json:
        keys = original(service, action, body, params)
        if action.rpartition(":")[2] != "PutMetricData":
            return keys
        return keys | {"cloudwatch:namespace": parameter(_parsed(body) or params, "Namespace")}

    return context


def _object(resource: str, path: str) -> str:
    """A slash at a key's end belongs to the key, as that of a folder's index page."""
    key = path.lstrip("/").partition("/")[2]
    return f"{resource}/" if key and key.endswith("/") and not resource.endswith("/") else resource


def _log_stream(group: str, headers: dict[str, str], body: bytes) -> str:
    """Writing to a log stream is asked of the stream: that is why policies end in `:log-group:name:*`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    writes = headers.get("x-amz-target", "").rpartition(".")[2] in {"CreateLogStream", "PutLogEvents"}
    return f"{group}:log-stream:{_parsed(body).get('logStreamName', '')}" if writes else group


def _pipeline(scope: Scope, request: Json, _query: Any) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html."""
    name = request.get("pipelineName") or request.get("name") or (request.get("pipeline") or {}).get("name")
    if request.get("resourceArn"):
        return str(request["resourceArn"])
    parts = [part for part in (name, request.get("stageName"), request.get("actionName")) if part]
    return scope.arn("codepipeline", "/".join(parts)) if parts else "*"


def _build(scope: Scope, request: Json, _query: Any) -> str:
    for name in ("arn", "reportGroupArn", "reportArn"):
        if request.get(name):
            return str(request[name]).replace(":report/", ":report-group/")
    if "type" in request and "exportConfig" in request:
        return scope.arn("codebuild", f"report-group/{request['name']}")
    builds = request.get("ids") or [request.get("id")]
    name = request.get("projectName") or request.get("name") or (builds[0] or "").partition(":")[0]
    return scope.arn("codebuild", f"project/{name}") if name else "*"


def _artifact(scope: Scope, _request: Json, query: Any) -> str:
    domain, repository = (parameter(query or {}, name) for name in ("domain", "repository"))
    owner = Scope(parameter(query or {}, "domain-owner") or scope.account, scope.region)
    if not domain:
        return "*"
    return owner.arn(
        "codeartifact", f"repository/{domain}/{repository}" if repository else f"domain/{domain}"
    )


def _parsed(body: bytes) -> Json:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _connection(_scope: Scope, request: Json, _query: Any) -> str:
    return str(request.get("ConnectionArn") or request.get("ResourceArn") or "*")


_RESOURCES: dict[str, Callable[[Scope, Json, Any], str]] = {
    "codepipeline": _pipeline,
    "codebuild": _build,
    "codeconnections": _connection,
    "codestar-connections": _connection,
    "codeartifact": _artifact,
}
