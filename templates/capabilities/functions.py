"""Lambda functions: in the VPC, each on its own role, logged, traced, encrypted, published as versions."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awacs import logs
from troposphere import GetAtt, ImportValue, Ref, Split, StackName, Sub
from troposphere.awslambda import (
    Code,
    Environment,
    Function,
    ImageConfig,
    LoggingConfig,
    TracingConfig,
    Version,
    VPCConfig,
)

from templates.capabilities.encryption_key import Logs, add_log_group
from templates.capabilities.lint_exceptions import Except, describe, excepted
from templates.capabilities.metrics import NAMESPACE
from templates.capabilities.permissions import Permission, add_role, join_vpc, trace_permission
from templates.capabilities.stack_interface import (
    ARTIFACT_BUCKET,
    ATTEMPT,
    IMAGE_DIGEST,
    IMAGE_REPOSITORY,
    code_key,
    code_version,
    from_network,
    pascal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template

    from environments import schema

_EXCEPTIONS = (
    Except(
        "CKV_AWS_115",
        "Concurrency is reserved for the data API alone, where the environment says how many connections are "
        "its own: what is reserved is taken from every other stack of the account.",
    ),
    Except(
        "CKV_AWS_116",
        "Nothing calls it asynchronously, so a dead letter queue would stay empty: its caller gets the "
        "error, and retries or compensates.",
    ),
)


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What makes one function different from the others.

    Attributes:
        name: its folder under `lambdas/`; logical ids derive from it.
        description: one sentence.
        seconds: its time-out, inside its caller's.
        security_groups: the exports of the network stack that say whom it may reach.
        variables: environment variables beside those that every function gets.
        permissions: beside those that every function needs.
        exceptions: from linters' rules, for the function and its role.
        role: the ARN of a role that is not the function's own; then `permissions` are that role's matter.
        least_memory_mb: what it needs, whatever the environment gives every function.
        concurrency: how many of it may run at once, reserved for it; of the account's when it is None.
    """

    name: str
    description: str
    seconds: int
    security_groups: Sequence[str]
    variables: dict[str, Any]
    permissions: Sequence[Permission] = ()
    exceptions: Sequence[Except] = ()
    role: AWSHelperFn | None = None
    least_memory_mb: int = 0
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """What others may use of a function."""

    title: str
    """The function's logical id."""
    name: Ref
    version_arn: Ref
    version_number: GetAtt
    logs: Logs


def add_function(template: Template, environment: schema.Environment, spec: FunctionSpec) -> DeployedFunction:
    """Add a function with its log group and role, and publish what it is now as a version."""
    title = pascal(spec.name)
    key_arn = from_network("KeyArn")
    group = add_log_group(template, environment, title, key_arn)
    bound: dict[str, Any] = (
        {} if spec.concurrency is None else {"ReservedConcurrentExecutions": spec.concurrency}
    )
    function = Function(
        f"{title}Function",
        Description=Sub(f"{spec.description} (attempt ${{{ATTEMPT}}})"),
        **_code(environment, spec.name),
        Architectures=[environment.functions.architecture],
        MemorySize=max(environment.functions.memory_mb, spec.least_memory_mb),
        Timeout=spec.seconds,
        Role=spec.role or _add_own_role(template, title, [*_every_function(group), *spec.permissions], spec),
        VpcConfig=_vpc([from_network(group) for group in spec.security_groups]),
        Environment=Environment(Variables=_variables(environment) | spec.variables),
        KmsKeyArn=key_arn,
        LoggingConfig=LoggingConfig(LogGroup=group.name),
        TracingConfig=TracingConfig(Mode="Active"),
        **bound,
        Metadata=excepted(*_EXCEPTIONS, *spec.exceptions),
    )
    template.add_resource(function)
    image = environment.functions.packaging == "image"
    version = publish(template, spec.name, function, code=IMAGE_DIGEST if image else code_key(spec.name))
    return DeployedFunction(
        title=str(function.title),
        name=Ref(function),
        version_arn=Ref(version),
        version_number=GetAtt(version, "Version"),
        logs=group,
    )


def _add_own_role(
    template: Template, title: str, permissions: Sequence[Permission], spec: FunctionSpec
) -> GetAtt:
    arn = add_role(template, title, "lambda.amazonaws.com", permissions, for_this_account=False)
    describe(template.resources[f"{title}Role"], excepted(*spec.exceptions))
    return arn


def _code(environment: schema.Environment, name: str) -> dict[str, Any]:
    """Where the function's code is and how it begins; an image brings its runtime."""
    handler = f"{name}.handler.handler"
    if environment.functions.packaging == "image":
        return {
            "PackageType": "Image",
            "Code": Code(ImageUri=Sub(f"${{{IMAGE_REPOSITORY}}}@${{{IMAGE_DIGEST}}}")),
            "ImageConfig": ImageConfig(Command=[handler]),
        }
    return {
        "Handler": handler,
        "Runtime": environment.functions.runtime,
        "Code": Code(
            S3Bucket=Ref(ARTIFACT_BUCKET),
            S3Key=Ref(code_key(name)),
            S3ObjectVersion=Ref(code_version(name)),
        ),
    }


def _vpc(security_groups: list[ImportValue]) -> VPCConfig:
    subnets = Split(",", from_network("PrivateSubnetIds"))
    return VPCConfig(SecurityGroupIds=security_groups, SubnetIds=subnets)


def _variables(environment: schema.Environment) -> dict[str, AWSHelperFn | str]:
    # The service is the stack, so that metrics and logs of two branches never mix.
    return {
        "LOG_LEVEL": environment.logs.level,
        "POWERTOOLS_SERVICE_NAME": StackName,
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }


def _every_function(group: Logs) -> list[Permission]:
    return [
        Permission(
            "WriteLogs",
            "Writes to its own log group; it cannot create another, unencrypted one.",
            [logs.CreateLogStream, logs.PutLogEvents],
            [group.streams_arn],
        ),
        join_vpc(),
        trace_permission(),
    ]


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
