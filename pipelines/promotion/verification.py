"""The checks between an approval and production: is it genuine, is it what staging ran, was it approved?

Each release is judged by its own records (`records.py`), never by what staging or another release does
meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.build import package_manifest, provenance
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts, embedded_overrides
from pipelines.evidence import stack_changes
from pipelines.promotion import records, running_stack
from templates.capabilities.stack_interface import IMAGE_DIGEST, code_key, code_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws
    from pipelines.build.package_manifest import Image, Manifest, StoredPackages
    from pipelines.promotion.running_stack import Running

Json = dict[str, Any]
_DIST = "dist"


class NotAsApproved(Refused):
    """Something is not what was signed, not what staging ran, or not what was approved."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a release deploys, as its own artifacts hold it.

    Attributes:
        manifest: Its packages.
        stored: Where they are stored.
        image: The image that was built of them, where there is one.
        subjects: The SHA-256 of every file that was signed.
    """

    manifest: Manifest
    stored: StoredPackages | None
    image: Image | None
    subjects: Mapping[str, str]


def read_release(tools: Aws, key: str, packages: Path, built: Path) -> Release:
    """Return a release after checking its signature, every file of it, and every package in the store.

    Args:
        tools: The tools account.
        key: The key that Publish signs with.
        packages: The artifact of Publish.
        built: The artifact of Build.

    Raises:
        NotGenuine: The key did not sign its provenance.
        NotAsApproved: A file or a stored package is not what was signed; each is named.
    """
    folder = packages / _DIST / "packages"
    envelope = provenance.read(folder / provenance.FILE)
    provenance.verify(tools, key, envelope)
    subjects = provenance.subjects_of(envelope)
    problems: list[str] = []
    for root, kinds in ((packages, ("packages/", "settings/")), (built, ("templates/",))):
        names = {subject: subject for subject in subjects if subject.startswith(kinds)}
        problems += provenance.differences(subjects, root / _DIST, names)
    if problems:
        raise _refusal(problems)
    manifest, stored = package_manifest.read_intact(folder), package_manifest.read_stored(folder)
    problems = [] if stored is None else artifacts.stored_differences(tools, stored, manifest)
    if problems or not manifest:
        raise _refusal(problems or ["the manifest lists no package"])
    return Release(manifest, stored, package_manifest.read_image(folder), subjects)


def check_staging(release: Release, staging: Running, environment: Environment) -> None:
    """Refuse unless what staging ran, by its own record, is this release's code.

    Raises:
        NotAsApproved: It is other code; each function is named.
    """
    problems = []
    for name, package in release.manifest.items():
        expected, ran = _code(environment, package.sha256, release), staging.get(running_stack.code_of(name))
        if ran != expected:
            problems.append(f"staging ran {name} as {ran}, and the release holds {expected}")
    if problems:
        raise _refusal(problems)


def check_review(prod: Aws, release: Release, review: Json, built: Path) -> list[str]:
    """Refuse unless what was reviewed is this release; return what of production moved since.

    Args:
        prod: Production's account.
        release: The release.
        review: The record of what was records.
        built: The artifact of Build, with the signed templates.

    Raises:
        NotAsApproved: What was reviewed would have deployed something else.
    """
    environment = embedded_overrides.environment(prod.environment)
    problems: list[str] = []
    for kind, stack in (("network", environment.network_stack), ("payments", environment.default_stack)):
        after = review["stacks"][stack]["after"]
        template = stack_changes.parsed((built / _DIST / "templates" / "prod" / f"{kind}.json").read_text())
        if after["template"] != records.template_digest(template):
            problems.append(f"{stack}: another template was reviewed than was signed")
        if kind == "payments":
            problems += _other_code(f"{stack} would run", environment, after["parameters"], release)
    if problems:
        raise _refusal(problems)
    return records.moved(review["stacks"], prod)


def check_prepared(prod: Aws, review: Json, change_set: str, *, rollback: bool) -> None:
    """Refuse unless production's prepared change sets are the reviewed ones.

    A rollback goes back to what was approved once, from wherever production is: the state after it has to be
    the approved one, and the way there may be another.

    Raises:
        NotAsApproved: They are not; each difference is named.
    """
    environment = embedded_overrides.environment(prod.environment)
    problems: list[str] = []
    for stack in (environment.network_stack, environment.default_stack):
        prepared, expected = stack_changes.read(prod, stack, change_set), review["stacks"][stack]
        if rollback:
            wrong = records.state_differences(expected["after"], records.after(prepared))
        else:
            wrong = records.change_differences(expected, prepared)
        problems += [f"{stack}: {difference} than approved" for difference in wrong]
    if not rollback:
        problems += [f"since the approval, {line}" for line in records.moved(review["stacks"], prod)]
    if problems:
        raise _refusal(problems)


def check_unchanged(prod: Aws, change_set: str) -> None:
    """Refuse unless production's prepared change sets change nothing.

    Raises:
        NotAsApproved: They do; each stack is named.
    """
    environment = embedded_overrides.environment(prod.environment)
    prepared = [
        stack_changes.read(prod, stack, change_set)
        for stack in (environment.network_stack, environment.default_stack)
    ]
    differs = [f"{each.stack} would be changed by the rollback" for each in prepared if each.changes]
    if differs:
        raise NotAsApproved(
            "The release that failed had not changed production, so it stays as it is:\n"
            + "\n".join(differs),
            "To go back to an earlier release: payments pipeline rollback Production --to EXECUTION",
        )


def check_running(prod: Aws, staging: Running) -> None:
    """Refuse unless production runs what staging ran: code, settings, workflows and API.

    Raises:
        NotAsApproved: It does not; each difference is named.
    """
    running = running_stack.read(prod, prod.environment.default_stack)
    wrong = running_stack.differences(staging, running)
    if wrong:
        raise NotAsApproved(
            "Production does not run what staging ran:\n" + "\n".join(wrong),
            "The stage is rolled back. Find out who changed production, or what the templates do otherwise.",
        )


def _refusal(problems: list[str]) -> NotAsApproved:
    return NotAsApproved("Production was not changed:\n" + "\n".join(problems), "Release again.")


def _code(environment: Environment, sha256: str, release: Release) -> str:
    if environment.functions.packaging == "image" and release.image:
        return release.image.digest.removeprefix("sha256:")
    return sha256


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
