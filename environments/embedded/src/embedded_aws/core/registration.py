"""Registers a service of ours with MiniStack: its handler, its routes, and its name in policies."""

from types import SimpleNamespace

from ministack import app as ministack
from ministack.core import iam_actions, router

from embedded_aws.core import api_model, runtime
from embedded_aws.core.service import Service

_MODULE = "embedded_aws"


def register(*services: Service) -> None:
    """Let MiniStack route requests of these services to us."""
    ministack._loaded_modules[_MODULE] = SimpleNamespace(reset=_reset)
    for service in services:
        _register(service)


def _register(service: Service) -> None:
    metadata = api_model.service_model(service.name).metadata
    ministack.SERVICE_REGISTRY[service.name] = {"module": _MODULE}
    ministack.SERVICE_HANDLERS[service.name] = service.handle_request
    router.SERVICE_PATTERNS[service.name] = {
        "host_patterns": [rf"{metadata['endpointPrefix']}\."],
        "credential_scope": metadata.get("signingName", metadata["endpointPrefix"]),
        **({"target_prefixes": [metadata["targetPrefix"]]} if "targetPrefix" in metadata else {}),
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[service.name] = service.name
    if metadata["protocol"] != "json":  # MiniStack finds a REST request's operation in the service's model
        iam_actions._BOTOCORE_SERVICE_MAP[service.name] = [service.name]


def _reset() -> None:
    runtime.current().store.clear()
