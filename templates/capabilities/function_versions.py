"""Published versions of Lambda functions: what runs, and what executions in flight hold on to."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from troposphere import Ref, Sub
from troposphere.awslambda import Version

from templates.capabilities.parameters import pascal

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.awslambda import Function


def publish(template: Template, name: str, function: Function, *, code: str) -> Version:
    """Add `<Name>Version`, replaced whenever, and only when, the function's code or configuration changes.

    Its description is what CloudFormation compares: `code`, the parameter that names the code by its content,
    every parameter that the function's properties mention, and a digest of the properties. The bucket or
    repository is left out: it does not matter where content is kept.

    Lambda publishes nothing when neither changed, and CloudFormation fails then (API reference,
    PublishVersion). Replaced versions are kept: executions in flight finish on the code that they started
    with. They go when the function goes.
    """
    properties = function.to_dict()["Properties"]
    del properties["Code"]
    configuration = json.dumps(properties, sort_keys=True)
    mentioned = [
        name
        for name in sorted(template.parameters)
        if re.search(rf'"Ref": "{name}"|\$\{{{name}\}}', configuration)
    ]
    inputs = " ".join(f"${{{name}}}" for name in [code, *mentioned])
    digest = hashlib.sha256(configuration.encode()).hexdigest()[:12]
    version = Version(
        f"{pascal(name)}Version",
        FunctionName=Ref(function),
        Description=Sub(f"{inputs} {digest}"),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(version)
    return version
