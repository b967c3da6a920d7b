"""Whether everything that is installed is locked by hash, and everything that ships is listed in its SBOM."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from pipelines.build import dependencies, package_manifest
from pipelines.core.refusals import Refused
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECTS: Final = {
    "ours": ".",
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
