"""Whether everything that is installed is locked, by hash, and the locks are those of their projects."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.build import dependencies
from pipelines.core.refusals import Refused
from pipelines.supply_chain.verdict import Verdict, judged

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
    """A package as a lock holds it."""

    name: str
    version: str


def check(root: Path) -> Verdict:
    """Every package of every lock comes from an index, with a SHA-256 of each of its files."""
    found: list[str] = []
    counted: dict[str, int] = {}
    for name, folder in PROJECTS.items():
        lock = root / folder / "uv.lock"
        packages = _read(lock)
        counted[name] = len(packages)
        found += [f"{folder}/uv.lock: {fault}" for package in packages for fault in _faults(package)]
        found += _stale(root / folder, folder)
    return judged(f"{sum(counted.values())} packages in {len(counted)} locks", found, counted)


def packages(root: Path, project: str) -> list[Package]:
    """What a project's lock holds, but for the repository's own packages."""
    return [
        Package(one["name"], one["version"])
        for one in _read(root / PROJECTS[project] / "uv.lock")
        if "registry" in one["source"]
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
    for one in files:
        if not one.get("hash", "").startswith("sha256:"):
            yield f"{package['name']}: {one.get('url', 'a file')} has no SHA-256"


def _stale(project: Path, shown: str) -> Iterator[str]:
    try:
        dependencies.uv(["lock", "--check", "--offline", "--quiet"], cwd=project)
    except Refused as refused:
        yield f"{shown}/uv.lock is not what pyproject.toml asks for: {refused.message.splitlines()[-1]}"
