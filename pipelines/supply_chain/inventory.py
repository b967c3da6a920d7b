"""Whether what is installed is locked, what ships is listed in its SBOM, and nothing of it is vulnerable.

pip-audit asks OSV, which holds PyPI's advisories and GitHub's. It calls a package that its service does not
know `skipped` and ends well all the same; here that is no answer, and neither is a service that does not
answer.

Source: pip-audit, "Exit codes"; OSV, "POST /v1/query".
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.build import dependencies, package_manifest
from pipelines.core.refusals import Refused
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECTS: Final = {
    "ours": ".",
    "embedded-aws": "environments/embedded",
    "local-stripe": "environments/embedded/src/embedded_aws/card_gateway",
    "aws-command": "tests/awscli",
    "checkov": "tests/checkov",
}
"""Every project that is installed from a lock of its own."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of a lock."""

    name: str
    version: str


def check_locks(root: Path) -> CheckResult:
    """Check that every locked package comes from an index and has a SHA-256 for each of its files."""
    findings: list[str] = []
    counted: dict[str, int] = {}
    for name, folder in PROJECTS.items():
        lock = root / folder / "uv.lock"
        packages = _read(lock)
        counted[name] = len(packages)
        findings += [f"{folder}/uv.lock: {fault}" for package in packages for fault in _faults(package)]
        findings += _stale(root / folder, folder)
    return result_of(f"{sum(counted.values())} packages in {len(counted)} locks", findings, counted)


def packages(root: Path, project: str) -> list[Package]:
    """Return the packages of a project's lock without the repository's own."""
    return [
        Package(locked["name"], locked["version"])
        for locked in _read(root / PROJECTS[project] / "uv.lock")
        if "registry" in locked["source"]
    ]


def _read(lock: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return listed


def _faults(package: dict[str, Any]) -> Iterator[str]:
    source = package["source"]
    if {"editable", "virtual"} & set(source):
        return  # the repository itself
    if "registry" not in source:
        yield f"{package['name']} comes from {next(iter(source))}, which no index vouches for"
    files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    if not files:
        yield f"{package['name']} has no file"
    for file in files:
        if not file.get("hash", "").startswith("sha256:"):
            yield f"{package['name']}: {file.get('url', 'a file')} has no SHA-256"


def _stale(project: Path, shown: str) -> Iterator[str]:
    try:
        dependencies.uv(["lock", "--check", "--offline", "--quiet"], cwd=project)
    except Refused as refused:
        yield f"{shown}/uv.lock is not what pyproject.toml asks for: {refused.message.splitlines()[-1]}"


_OURS: Final = "payment_data"


def check_contents(built: Path) -> CheckResult:
    """Compare the packages in `built` with the CycloneDX documents beside them.

    Raises:
        CannotCheck: Nothing was built, or it is not what its manifest says.
    """
    try:
        manifest = package_manifest.read_intact(built)
    except Refused as refused:
        raise CannotCheck(f"{refused.message} Run `payments package` first.") from refused
    owners = metadata.packages_distributions()
    findings: list[str] = []
    inside: dict[str, list[str]] = {}
    for name, package in manifest.items():
        document = json.loads((built / package.sbom).read_text(encoding="utf-8"))
        inside[name] = [f"{part['name']} {part['version']}" for part in document["components"]]
        (digest,) = document["metadata"]["component"]["hashes"]
        if digest["content"] != package.sha256:
            findings.append(f"{name}: its SBOM is that of other bytes")
        findings += [f"{name}: {fault}" for fault in _unlisted(built / package.file, name, document, owners)]
    return result_of(f"{len(inside)} packages, each with its SBOM", findings, inside)


def _unlisted(archive: Path, function: str, document: Any, owners: Any) -> Iterator[str]:
    listed = {_normal(part["name"]) for part in document["components"]}
    with zipfile.ZipFile(archive) as files:
        modules = {name.partition("/")[0].removesuffix(".py") for name in files.namelist()}
    for module in sorted(modules - {function, _OURS}):
        if not {_normal(owner) for owner in owners.get(module, [])} & listed:
            yield f"holds {module}, which its SBOM does not list"


def _normal(name: str) -> str:
    """Source: PyPA specifications, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()


OSV: Final = "https://api.osv.dev/v1/query"
ACCEPTED: Final[dict[str, str]] = {}
"""Advisories that do not concern us: the id, and why not. One that no package has any more is a finding."""


def check_advisories(root: Path, service: str = OSV) -> CheckResult:
    """Ask the service about every package of every lock.

    Args:
        root: The repository.
        service: Where to ask, as OSV answers.

    Raises:
        CannotCheck: The service did not answer, or not about every package.
    """
    asked = {(package.name, package.version) for project in PROJECTS for package in packages(root, project)}
    answers = [answer for batch in _batches(asked) for answer in _ask(batch, service)]
    skipped = sorted(answer["name"] for answer in answers if "skip_reason" in answer)
    silent = sorted({name for name, _ in asked} - {answer["name"] for answer in answers})
    if skipped or silent:
        raise CannotCheck(f"{service} did not answer about {', '.join([*skipped, *silent])}")
    advisories = {
        (answer["name"], answer["version"], advisory["id"]): advisory
        for answer in answers
        for advisory in answer["vulns"]
    }
    findings = [
        f"{name} {version}: {advisory_id}, fixed in {', '.join(advisory['fix_versions']) or 'no version'}"
        for (name, version, advisory_id), advisory in advisories.items()
        if advisory_id not in ACCEPTED
    ]
    stale = set(ACCEPTED) - {advisory_id for _, _, advisory_id in advisories}
    findings += [f"{advisory_id} is accepted and concerns no package any more" for advisory_id in stale]
    return result_of(f"{len(asked)} packages, asked of {service}", findings, {"accepted": ACCEPTED})


def _batches(asked: set[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return the packages in batches, none of which names a package in two versions."""
    batches: list[dict[str, str]] = []
    for name, version in sorted(asked):
        batch = next((batch for batch in batches if name not in batch), None)
        if batch is None:
            batches.append(batch := {})
        batch[name] = version
    return [list(batch.items()) for batch in batches]


def _ask(packages: list[tuple[str, str]], service: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        listing = Path(place) / "requirements.txt"
        listing.write_text("".join(f"{name}=={version}\n" for name, version in packages))
        quiet = ["--format", "json", "--progress-spinner", "off", "--desc", "off"]
        asking = ["--vulnerability-service", "osv", "--osv-url", service, "--timeout", "15"]
        completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [
                Path(sys.executable).with_name("pip-audit"),
                *["--no-deps", "--disable-pip", "--requirement", str(listing)],
                *quiet,
                *asking,
                *["--cache-dir", place],
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        # It also exits with 1 when there are advisories, and has then printed them.
        dependencies: list[dict[str, Any]] = json.loads(completed.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        last = (completed.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise CannotCheck(f"{service} could not be asked: {last}") from error
    return dependencies
