"""The last look before production changes: is it what was approved, and is it what staging runs?"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.core.refusals import Refused
from pipelines.deploy import embedded_overrides
from pipelines.evidence import stack_changes
from templates.capabilities.parameters import IMAGE_DIGEST, code_key, code_version, pascal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws
    from pipelines.build.packaging import Image, Manifest, StoredPackages
    from pipelines.evidence.stack_changes import StackChanges


class NotAsApproved(Refused):
    """What would be executed is not what was approved, or not what staging runs."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a release runs: its packages, where they are stored, and their image where there is one."""

    manifest: Manifest
    stored: StoredPackages | None = None
    image: Image | None = None


def verify(prod: Aws, staging: Aws | None, release: Release, *, prepared: str, approved: str | None) -> None:
    """Refuse unless the prepared change sets may be executed.

    Args:
        prod: Production's account.
        staging: Staging's account; none in a rollback, whose packages staging may have left behind.
        release: What it would run.
        prepared: The change set that would be executed, in production's stacks.
        approved: The one that was reviewed; none in a rollback, which goes back to what was approved once.

    Raises:
        NotAsApproved: They may not; every difference is listed.
    """
    environment = embedded_overrides.environment(prod.environment)
    problems: list[str] = []
    for stack in (environment.network_stack, environment.default_stack):
        ready = stack_changes.read(prod, stack, prepared)
        if approved is not None:
            problems += differences(stack_changes.read(prod, stack, approved), ready)
        if stack == environment.default_stack:
            problems += _other_code(f"{stack} would run", environment, ready.parameters, release)
    if staging is not None:
        problems += _not_what_staging_runs(staging, release)
    if problems:
        raise NotAsApproved("Production was not changed:\n" + "\n".join(problems), "Release again.")


def differences(approved: StackChanges, prepared: StackChanges) -> list[str]:
    """Return every difference between a prepared change set and the approved one, in words."""
    problems = []
    if approved.changes != prepared.changes:
        other = sorted({change.resource for change in set(approved.changes) ^ set(prepared.changes)})
        problems.append(f"{approved.stack}: other changes than approved, to {', '.join(other)}")
    for attribute in ("parameters", "tags"):
        reviewed, ready = getattr(approved, attribute), getattr(prepared, attribute)
        names = sorted(name for name in reviewed | ready if reviewed.get(name) != ready.get(name))
        if names:
            problems.append(f"{approved.stack}: other {attribute} than approved: {', '.join(names)}")
    if approved.after != prepared.after:
        problems.append(f"{approved.stack}: another template than approved")
    return problems


def _other_code(
    subject: str, environment: Environment, parameters: Mapping[str, str], release: Release
) -> Iterator[str]:
    if environment.functions.packaging == "image":
        held = release.image.digest if release.image else "no image"
        if parameters.get(IMAGE_DIGEST) != held:
            yield f"{subject} the image {parameters.get(IMAGE_DIGEST)}, and the release holds {held}"
        return
    versions = release.stored.versions if release.stored else {}
    for name, package in release.manifest.items():
        key, version = parameters.get(code_key(name)), parameters.get(code_version(name))
        if (key, version) != (package.key, versions.get(name)):
            held = f"{package.key} in version {versions.get(name)}"
            yield f"{subject} {name} from {key} in version {version}, and the release holds {held}"


def _not_what_staging_runs(staging: Aws, release: Release) -> Iterator[str]:
    """Compare both what staging was told to run and what it really runs."""
    environment = embedded_overrides.environment(staging.environment)
    stack = environment.default_stack
    described: Any = staging.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    parameters = {
        parameter["ParameterKey"]: parameter.get("ParameterValue", "")
        for parameter in described["Parameters"]
    }
    yield from _other_code(f"{stack} runs", environment, parameters, release)
    for name, package in release.manifest.items():
        resource = f"{pascal(name)}Function"
        described_function = staging.cloudformation.describe_stack_resources(
            StackName=stack, LogicalResourceId=resource
        )
        function = described_function["StackResources"][0].get("PhysicalResourceId", "")
        runs = _digest(staging.functions.get_function_configuration(FunctionName=function))
        held = package.sha256
        if environment.functions.packaging == "image" and release.image:
            held = release.image.digest.removeprefix("sha256:")
        if runs != held:
            yield f"{stack} runs {name} as {runs}, and the release holds {held}"


def _digest(function: Mapping[str, Any]) -> str:
    """The digest of a function's code, in hexadecimal: Lambda tells a zip's in base 64, an image's as it is.

    Source: Lambda developer guide, "Create a Lambda function using a container image": the image's digest is
    in what GetFunctionConfiguration tells.
    """
    code_sha256 = str(function["CodeSha256"])
    return code_sha256 if function.get("PackageType") == "Image" else base64.b64decode(code_sha256).hex()
