"""What a stack takes and gives: the payments stack's parameters; outputs, exports and imports by one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Export, ImportValue, Output, Parameter, Sub

if TYPE_CHECKING:
    from collections.abc import Iterable

    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment

NETWORK_STACK = "NetworkStack"
"""The parameter by which a payments stack names the network that it lives in."""


def add_output(template: Template, name: str, description: str, value: AWSHelperFn | str) -> None:
    """Add a described output."""
    template.add_output(Output(name, Description=description, Value=value))


def add_export(
    template: Template, name: str, description: str, value: AWSHelperFn, *, condition: str | None = None
) -> None:
    """Add a described output that other stacks import as `<stack name>-<name>`, maybe under a condition."""
    export = Export(Sub(f"${{AWS::StackName}}-{name}"))
    under = {} if condition is None else {"Condition": condition}
    template.add_output(Output(name, Description=description, Value=value, Export=export, **under))


def from_network(name: str) -> ImportValue:
    """Return what the network stack exports under this name."""
    return ImportValue(Sub(f"${{{NETWORK_STACK}}}-{name}"))


ARTIFACT_BUCKET = "ArtifactBucket"
IMAGE_REPOSITORY = "ImageRepository"
IMAGE_DIGEST = "ImageDigest"
ATTEMPT = "Attempt"
DATABASE_NAME = "DatabaseName"

# Lengths add up to less than a Lambda version's description, which holds them: 256.
_CODE_KEY_LENGTH = 120
_IMAGE_DIGEST_LENGTH = 71
_NETWORK_STACK_LENGTH = 64


def pascal(name: str) -> str:
    """Return `reserve_products` as `ReserveProducts`, the form of logical ids."""
    return "".join(word.capitalize() for word in name.split("_"))


def code_key(function: str) -> str:
    """Return the name of the parameter that holds a function's S3 key."""
    return f"{pascal(function)}CodeKey"


def code_version(function: str) -> str:
    """Return the name of the parameter that holds the version of a function's S3 object."""
    return f"{pascal(function)}CodeVersion"


def add_parameters(template: Template, environment: Environment, functions: Iterable[str]) -> None:
    """Add the stack's parameters: its network, its database, and where its code is."""
    _add(
        template,
        NETWORK_STACK,
        "The network stack to live in, of this account and region",
        AllowedPattern="^[A-Za-z][A-Za-z0-9-]*$",
        MaxLength=_NETWORK_STACK_LENGTH,
    )
    _add(
        template,
        DATABASE_NAME,
        "The stack's own MongoDB database in the environment's cluster",
        AllowedPattern="^[a-z][a-z0-9-]{0,37}$",
    )
    _add(
        template,
        ATTEMPT,
        "Raise it to deploy again what was rolled back: Lambda refuses to publish the same code twice, and "
        "the versions that were rolled back are kept for executions in flight",
        Default="1",
        AllowedPattern="^[0-9]{1,6}$",
    )
    if environment.functions.packaging == "image":
        _add_image(template)
    else:
        _add_zips(template, functions)


def _add_image(template: Template) -> None:
    _add(
        template,
        IMAGE_REPOSITORY,
        "The ECR repository that holds the functions' image, as its URI",
        AllowedPattern=r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9/._-]*$",
    )
    _add(
        template,
        IMAGE_DIGEST,
        "The digest of the image of all functions",
        AllowedPattern="^sha256:[0-9a-f]{64}$",
        MaxLength=_IMAGE_DIGEST_LENGTH,
    )


def _add_zips(template: Template, functions: Iterable[str]) -> None:
    _add(
        template,
        ARTIFACT_BUCKET,
        "The S3 bucket that holds the functions' packages",
        AllowedPattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    )
    for function in functions:
        _add(
            template,
            code_key(function),
            f"The S3 key of the package of {function}, named by its content",
            AllowedPattern="^[A-Za-z0-9][A-Za-z0-9/._-]*$",
            MaxLength=_CODE_KEY_LENGTH,
        )
        _add(
            template,
            code_version(function),
            f"The version of that object: what {function} runs cannot change under its key",
            # An object of a bucket that keeps no versions has the version `null`.
            AllowedPattern="^(?!null$)[A-Za-z0-9._-]+$",
            MaxLength=1024,
        )


def _add(template: Template, name: str, description: str, **rules: str | int) -> None:
    template.add_parameter(Parameter(name, Type="String", Description=description, **rules))
