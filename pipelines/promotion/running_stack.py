"""What a payments stack runs, in a form in which two environments can be compared.

Names that differ between accounts (ARNs, physical ids, the region) are replaced by what the template calls
them, and numbers of versions are left out: equal values mean equal code, settings, definitions and routes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from templates.capabilities.stack_interface import pascal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipelines.aws.accounts import Aws

_SHORTEST_NAME: Final = 8
"""A shorter physical id may stand in other texts by chance; ours are names and not secrets."""
_EXTENSIONS: Final = {"extensions": "apigateway"}
_VERSION_NUMBERS: Final = re.compile(r'(?<="release": ")([0-9a-f]{8})(-[0-9]+)+(?=")')
"""How often each function was published in an account, in what a workflow calls its release for metrics."""
_OF_THE_MOMENT: Final = {"servers": None, "info": None}
"""What an export says of when and where it was made (API Gateway developer guide, "Export a REST API")."""

Running = dict[str, str]
"""What runs: its digest or its settings, by what it is."""
_CODE = "CodeKey"


def code_of(function: str) -> str:
    """Return under which name the digest of a function's code is, as `ReserveProducts code`."""
    return f"{pascal(function)} code"


def read(aws: Aws, stack: str) -> Running:
    """Return what a payments stack runs.

    The keys are `<Function> code` (the SHA-256 of the zip or image, in hexadecimal), `<Function> settings`,
    `<Alias> leads to`, `<Workflow> definition` and `<API> routes` (SHA-256).
    """
    resources = _resources(aws, stack)
    plain = _plain(aws, stack, [*resources, *_resources(aws, aws.environment.network_stack)])
    running: Running = {}
    for resource in resources:
        reader = _READERS.get(resource.kind)
        if reader is not None:
            running |= reader(aws, resource.logical, resource.physical, plain)
    return running | _apis(aws, resources, plain)


def differences(expected: Mapping[str, str], running: Mapping[str, str]) -> list[str]:
    """Return each thing that runs otherwise than expected, with both values."""
    names = sorted(expected.keys() | running.keys())
    return [
        f"{name}: {running.get(name, 'missing')}, and not {expected.get(name, 'missing')}"
        for name in names
        if expected.get(name) != running.get(name)
    ]


@dataclass(frozen=True, slots=True)
class _Resource:
    logical: str
    kind: str
    physical: str


def _resources(aws: Aws, stack: str) -> list[_Resource]:
    return [
        _Resource(resource["LogicalResourceId"], resource["ResourceType"], resource["PhysicalResourceId"])
        for resource in stacks.resources(aws, stack)
        if resource.get("PhysicalResourceId")
    ]


def _plain(aws: Aws, stack: str, resources: Iterable[_Resource]) -> Callable[[str], str]:
    """Return a function that replaces the names of this account in a text, the longest first."""
    named = {
        name: f"<{resource.logical}>"
        for resource in resources
        for name in (resource.physical, resource.physical.rpartition(":")[2])  # an ARN ends with the name
        if len(name) >= _SHORTEST_NAME
    }
    longest_first = sorted(named.items(), key=lambda item: -len(item[0]))
    environment = aws.environment
    places = [(stack, "<stack>"), (environment.account, "<account>"), (environment.region, "<region>")]

    def plain(text: str) -> str:
        for name, word in [*longest_first, *places]:
            text = text.replace(name, word)
        return _VERSION_NUMBERS.sub(r"\1", text)

    return plain


def _digest(value: Any, plain: Callable[[str], str]) -> str:
    return hashlib.sha256(plain(json.dumps(value, sort_keys=True)).encode()).hexdigest()


def _version(aws: Aws, logical: str, physical: str, plain: Callable[[str], str]) -> Running:
    """Return what a published version of a function runs, and how it begins."""
    del plain
    function: Any = dict(aws.functions.get_function_configuration(FunctionName=physical))
    title = logical.removesuffix("Version")
    code = str(function["CodeSha256"])
    # Lambda says a zip's digest in base 64, an image's in hexadecimal (developer guide, "Container images").
    sha256 = code if function.get("PackageType") == "Image" else base64.b64decode(code).hex()
    layers = [str(layer["Arn"]) for layer in function.get("Layers", [])]
    begins = [function.get("PackageType", "Zip"), function.get("Runtime", ""), function.get("Handler", "")]
    wrapper = function.get("Environment", {}).get("Variables", {}).get("AWS_LAMBDA_EXEC_WRAPPER", "")
    settings = [*begins, *function.get("Architectures", []), *layers, wrapper]
    return {f"{title} code": sha256, f"{title} settings": " ".join(filter(None, settings))}


def _function_alias(aws: Aws, logical: str, physical: str, plain: Callable[[str], str]) -> Running:
    function, _, name = physical.rpartition(":")
    pages: Any = aws.functions.get_paginator("list_aliases").paginate(FunctionName=function)
    (alias,) = [alias for page in pages for alias in page["Aliases"] if alias["Name"] == name]
    more = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    leads_to = [f"{function}:{version}" for version in (alias["FunctionVersion"], *sorted(more))]
    return {f"{logical} leads to": plain(" ".join(leads_to))}


def _workflow_alias(aws: Aws, logical: str, physical: str, plain: Callable[[str], str]) -> Running:
    alias = aws.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=physical)
    routes = [
        f"{route['stateMachineVersionArn']} {route['weight']}" for route in alias["routingConfiguration"]
    ]
    return {f"{logical} leads to": plain(" ".join(sorted(routes)))}


def _workflow(aws: Aws, logical: str, physical: str, plain: Callable[[str], str]) -> Running:
    definition = aws.stepfunctions.describe_state_machine(stateMachineArn=physical)["definition"]
    return {f"{logical} definition": _digest(json.loads(definition), plain)}


def _apis(aws: Aws, resources: Iterable[_Resource], plain: Callable[[str], str]) -> Running:
    """Return what each deployed stage of an API answers, and by what."""
    physical = {resource.kind: resource for resource in resources}
    api, stage = physical.get("AWS::ApiGateway::RestApi"), physical.get("AWS::ApiGateway::Stage")
    if api is None or stage is None:
        return {}
    export = aws.client("apigateway").get_export(
        restApiId=api.physical, stageName=stage.physical, exportType="oas30", parameters=_EXTENSIONS
    )
    routes = json.loads(export["body"].read()) | _OF_THE_MOMENT
    return {f"{api.logical} routes": _digest(routes, plain)}


_READERS: Final[Mapping[str, Callable[[Aws, str, str, Callable[[str], str]], Running]]] = {
    "AWS::Lambda::Version": _version,
    "AWS::Lambda::Alias": _function_alias,
    "AWS::StepFunctions::StateMachine": _workflow,
    "AWS::StepFunctions::StateMachineVersion": _workflow,
    "AWS::StepFunctions::StateMachineAlias": _workflow_alias,
}


def digests(aws: Aws, stack: str) -> dict[str, str]:
    """Return the digest of each function's package by function, from the parameters of the stack."""
    parameters = stacks.described(aws, stack).get("Parameters", [])
    return {
        parameter["ParameterKey"].removesuffix(_CODE): parameter["ParameterValue"]
        .rpartition("/")[2]
        .removesuffix(".zip")
        for parameter in parameters
        if parameter["ParameterKey"].endswith(_CODE)
    }


def live_versions(aws: Aws, stack: str) -> dict[str, int]:
    """Return the versions that the payment workflow's alias leads to, with the share of each in percent."""
    alias = stacks.outputs(aws, stack)["PaymentWorkflowAliasArn"]
    routes = aws.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=alias)[
        "routingConfiguration"
    ]
    return {route["stateMachineVersionArn"]: route["weight"] for route in routes}
