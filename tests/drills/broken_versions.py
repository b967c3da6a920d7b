"""Versions of functions that should never have been released."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.request
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.rehearsal.shop import physical

if TYPE_CHECKING:
    from pathlib import Path

    from types_boto3_lambda import LambdaClient

    from pipelines.build.package_manifest import Manifest
    from pipelines.orders.payment_stack import PaymentStack


BROKEN_STEP = """
from payment_data.errors import UnexpectedResponse
from payment_data.step import logged

@logged
def handler(event):
    raise UnexpectedResponse("a release that nobody tried")
"""
"""A step that breaks the data API's contract."""


def live_version(stack: PaymentStack) -> str:
    """Return the ARN of the version that orders run, most of them where they run two."""
    alias = stack.aws.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=stack.live)
    return max(alias["routingConfiguration"], key=lambda route: route["weight"])["stateMachineVersionArn"]


def release_broken(stack: PaymentStack, percent: int = 100) -> None:
    """Let orders, or so many in a hundred, run a version whose first step fails."""
    weights = {live_version(stack): 100 - percent, broken_workflow_version(stack, BROKEN_STEP): percent}
    stack.aws.stepfunctions.update_state_machine_alias(
        stateMachineAliasArn=stack.live,
        routingConfiguration=[
            {"stateMachineVersionArn": arn, "weight": weight} for arn, weight in weights.items() if weight
        ],
    )


def publish_broken(functions: LambdaClient, function: str, folder: str, handler: str) -> str:
    """Publish a version with another handler in an otherwise unchanged package, and return its number.

    The function's unpublished code is as before again afterwards: a version is all that is left.
    """
    whole = _package(functions, function)
    functions.update_function_code(FunctionName=function, ZipFile=_with_handler(whole, folder, handler))
    try:
        return functions.publish_version(FunctionName=function)["Version"]
    finally:
        functions.update_function_code(FunctionName=function, ZipFile=whole)


def _package(functions: LambdaClient, function: str) -> bytes:
    where = functions.get_function(FunctionName=function)["Code"]["Location"]
    with urllib.request.urlopen(where) as answer:  # noqa: S310 - the embedded AWS's own URL
        return bytes(answer.read())


def with_step(manifest: Manifest, packages: Path, added: str) -> Manifest:
    """Return a manifest whose first step has more text at its end, and put its package beside the others."""
    name = "reserve_products"
    package = manifest[name]
    whole = (packages / package.file).read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as bundle:
        text = bundle.read(f"{name}/handler.py").decode()
    changed = _with_handler(whole, name, f"{text}\n{added}\n")
    digest = hashlib.sha256(changed).hexdigest()
    file = f"{name}-{digest[:8]}.zip"
    (packages / file).write_bytes(changed)
    new = replace(package, file=file, key=f"drill/{file}", sha256=digest, bytes=len(changed), source=digest)
    return {**manifest, name: new}


def _with_handler(package: bytes, folder: str, handler: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            text = handler.encode() if entry.filename == f"{folder}/handler.py" else old.read(entry)
            new.writestr(entry, text)
    return made.getvalue()


def broken_workflow_version(stack: PaymentStack, code: str) -> str:
    """Publish the workflow with another version of its first step, as a deployment does; return its ARN.

    The workflow itself is as before again afterwards: a version is all that is left.
    """
    functions, stepfunctions = stack.aws.functions, stack.aws.stepfunctions
    name = physical(stack, "ReserveProductsFunction")
    bad = publish_broken(functions, name, "reserve_products", code)
    whole = stepfunctions.describe_state_machine(stateMachineArn=stack.workflow)["definition"]
    definition = json.loads(whole)
    for state in definition["States"].values():
        _aim(
            state,
            f":{name}:",
            f"{functions.get_function(FunctionName=name, Qualifier=bad)['Configuration']['FunctionArn']}",
        )
    made = stepfunctions.update_state_machine(
        stateMachineArn=stack.workflow, definition=json.dumps(definition), publish=True
    )
    stepfunctions.update_state_machine(stateMachineArn=stack.workflow, definition=whole)
    return str(made["stateMachineVersionArn"])


def _aim(state: dict[str, Any], of: str, version: str) -> None:
    arguments = state.get("Arguments", {})
    if of in arguments.get("FunctionName", ""):
        arguments["FunctionName"] = version
