"""An environment's stacks, network and then payments: deployed in order, or written as settings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.aws import stacks
from pipelines.aws.embedded_stripe import with_stripe
from pipelines.aws.stacks import StackRequest
from pipelines.build import package_manifest
from pipelines.build.package_manifest import PACKAGES, Image, Manifest, StoredPackages
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.definitions import configuration_file
from pipelines.deploy import artifacts, atlas_peering, embedded_overrides, payment_methods
from templates import network, payments
from templates.capabilities.stack_interface import (
    ARTIFACT_BUCKET,
    ATTEMPT,
    DATABASE_NAME,
    IMAGE_DIGEST,
    IMAGE_REPOSITORY,
    NETWORK_STACK,
    code_key,
    code_version,
)

if TYPE_CHECKING:
    from pathlib import Path

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws
    from pipelines.build.package_manifest import Image, Manifest, StoredPackages
    from pipelines.definitions.configuration_file import Push


@dataclass(frozen=True, slots=True)
class Deployed:
    """The result of a deployment.

    Attributes:
        stack: The payments stack.
        network_stack: The network stack it lives in.
        bucket: Where its code was read from.
        changes: What happened to each stack by name: created, updated or unchanged.
    """

    stack: str
    network_stack: str
    bucket: str
    changes: dict[str, str]


def deploy(
    aws: Aws,
    manifest: Manifest,
    *,
    stack: str | None = None,
    packages: Path = PACKAGES,
    artifact_bucket: str | None = None,
    reporter: Reporter = NOBODY,
) -> Deployed:
    """Deploy the network where it is missing or changed, then the payments stack.

    Args:
        aws: Where to.
        manifest: The packages to run, as `packaging.build` made them.
        stack: The payments stack's name, which also names its database.
        packages: The folder that the packages are in.
        artifact_bucket: The bucket that holds the code; needed on AWS.
        reporter: Shown the progress.

    Raises:
        Refused: The environment drops a payment method by which an unfinished order is paid.
        StackFailed: A stack could not be deployed; it was rolled back.
    """
    payment_methods.check_deployment(aws, stack or aws.environment.default_stack, reporter)
    environment, name = (
        with_stripe(aws, embedded_overrides.with_database(aws)),
        stack or aws.environment.default_stack,
    )
    bucket = artifacts.bucket(aws, artifact_bucket)
    stored = artifacts.store_packages(aws, bucket, manifest, packages, reporter)
    changes = {}
    code = parameters(environment, name, stored, manifest, package_manifest.read_image(packages))
    code |= {ATTEMPT: next_attempt(aws, name)}
    for stack_name, template, values in (
        (environment.network_stack, network.build(environment), atlas_peering.network_parameters(aws)),
        (name, payments.build(environment), code),
    ):
        url = artifacts.upload_template(aws, bucket, stack_name, template.to_json())
        tags = configuration_file.tags(environment)
        changes[stack_name] = stacks.deploy(aws, StackRequest(stack_name, url, values, tags), reporter)
        if stack_name == environment.network_stack:
            embedded_overrides.connect_atlas(aws, reporter)
    return Deployed(name, environment.network_stack, bucket, changes)


def parameters(
    environment: Environment,
    stack: str,
    stored: StoredPackages | None,
    manifest: Manifest,
    image: Image | None,
) -> dict[str, str]:
    """Return the parameters of a payments stack by name: network, database and the code of each function.

    Raises:
        Refused: The environment runs an image, and none was built; or zips, and none were stored.
    """
    network_and_data = {NETWORK_STACK: environment.network_stack, DATABASE_NAME: stack}
    if environment.functions.packaging == "zip":
        if stored is None:
            raise Refused("The packages are in no bucket yet.", "payments package --upload")
        code = {code_key(name): package.key for name, package in manifest.items()}
        code |= {code_version(name): stored.versions[name] for name in manifest}
        return {**network_and_data, ARTIFACT_BUCKET: stored.bucket, **code}
    if image is None:
        raise Refused(
            f"{environment.name} runs a container image, and none was built of these packages.",
            "Its pipeline builds it: payments pipeline start",
        )
    return {**network_and_data, IMAGE_REPOSITORY: image.repository, IMAGE_DIGEST: image.digest}


def next_attempt(aws: Aws, stack: str) -> str:
    """Return another number after a rollback, else the same as before: see the template's parameter.

    A rollback takes the parameter back too, so counting on from it would repeat a number that failed.
    """
    if stacks.status(aws, stack) is None:
        return "1"
    described = stacks.described(aws, stack)
    before = {p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", [])}
    if described["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
        return str(int(time.time()) % 1_000_000)
    return before.get(ATTEMPT, "1")


def write_configuration(
    target: Aws,
    manifest: Manifest,
    stored: StoredPackages | None,
    folder: Path,
    *,
    image: Image | None = None,
    stack: str | None = None,
    push: Push | None = None,
) -> list[Path]:
    """Write the settings of an environment's network and payments stacks.

    Args:
        target: The environment's account; read, for whether the last deployment was rolled back.
        manifest: The packages to run.
        stored: Where they are kept.
        folder: The build's folder; `dist/settings/` in it becomes the artifact.
        image: Their image, for an environment that runs it.
        stack: The payments stack's name, which also names its database.
        push: For a branch's stack, where it comes from.
    """
    environment, name = (
        embedded_overrides.environment(target.environment),
        stack or target.environment.default_stack,
    )
    code = parameters(environment, name, stored, manifest, image)
    code |= {ATTEMPT: next_attempt(target, name)}
    written = [configuration_file.write(folder, environment, "payments", code, push)]
    if stack is None:  # branches share one network, and no pipeline deploys it
        written.append(
            configuration_file.write(folder, environment, "network", atlas_peering.network_parameters(target))
        )
    return written
