"""Puts our services into MiniStack, and takes up what an earlier process left once the endpoint answers.

MiniStack's private names that this module touches: `app.SERVICE_REGISTRY`, `app.SERVICE_HANDLERS`,
`app._loaded_modules`, `router.SERVICE_PATTERNS`, `iam_actions.SERVICE_TO_IAM_NAMESPACE`,
`iam_actions._BOTOCORE_SERVICE_MAP` (by which it knows what a REST request does) and
`iam_actions.extract_resource_arn`.
"""

import http.client
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

from ministack import app as ministack
from ministack.core import iam_actions, router

from embedded_aws.codesuite import (
    bucket_access,
    cloudformation_types,
    codeartifact,
    connections,
    encrypted_transport,
    event_targets,
    permissions,
    runtime,
    threads,
    validation,
)
from embedded_aws.codesuite.codebuild.service import SERVICE as CODEBUILD
from embedded_aws.codesuite.codepipeline import push_watcher, restart
from embedded_aws.codesuite.codepipeline.service import SERVICE as CODEPIPELINE
from embedded_aws.codesuite.service import Service

_SERVICES = (CODEPIPELINE, CODEBUILD, connections.CODECONNECTIONS, connections.CODESTAR, codeartifact.SERVICE)
_MODULE = "codesuite"
_START_SECONDS = 60.0


def install() -> None:
    """Register the services and begin to watch."""
    runtime.open_runtime()
    for service in _SERVICES:
        _register(service)
    iam_actions.SERVICE_TO_IAM_NAMESPACE.update(permissions.NAMESPACES)
    iam_actions._BOTOCORE_SERVICE_MAP[codeartifact.SERVICE.name] = [codeartifact.SERVICE.name]
    iam_actions.extract_resource_arn = permissions.extended(iam_actions.extract_resource_arn)
    ministack._loaded_modules[_MODULE] = SimpleNamespace(reset=_reset)
    for part in (bucket_access, encrypted_transport, event_targets):
        part.install()
    cloudformation_types.install()
    threads.start("begin", _begin)


def _register(service: Service) -> None:
    metadata = validation.service_model(service.name).metadata
    ministack.SERVICE_REGISTRY[service.name] = {"module": _MODULE}
    ministack.SERVICE_HANDLERS[service.name] = service.handle_request
    router.SERVICE_PATTERNS[service.name] = {
        "host_patterns": [rf"{metadata['endpointPrefix']}\."],
        "credential_scope": metadata.get("signingName", metadata["endpointPrefix"]),
        **({"target_prefixes": [metadata["targetPrefix"]]} if "targetPrefix" in metadata else {}),
    }


def _reset() -> None:
    runtime.current().store.clear()


def _begin() -> None:
    """Wait until the endpoint answers, since executions that go on make calls at once."""
    place = urlsplit(runtime.current().endpoint)
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(str(place.hostname), int(place.port or 0)):
        if time.monotonic() > deadline or runtime.current().stopping.wait(0.05):
            return
    restart.resume()
    push_watcher.watch()


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200  # noqa: PLR2004 - OK
    except OSError:
        return False
    finally:
        connection.close()
