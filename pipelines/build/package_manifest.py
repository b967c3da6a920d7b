"""The manifest of the packages: each function's zip with its digests, the image, and where all are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.build import reproducible_zip, wheels
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES: Final = DIST / "packages"


@dataclass(frozen=True, slots=True)
class Package:
    """A function's zip.

    Attributes:
        file: Its file name in the package folder.
        key: Where it is kept in an artifact bucket; holds the digest, so a key never changes meaning.
        sha256: The digest of the zip, in hexadecimal.
        bytes: The size of the zip.
        source: The digest of everything inside it; unchanged source is not zipped again.
        sbom: The file beside it that says what is inside (CycloneDX), and `sbom_sha256` its digest.
    """

    file: str
    key: str
    sha256: str
    bytes: int
    source: str
    sbom: str
    sbom_sha256: str


@dataclass(frozen=True, slots=True)
class Image:
    """The container image of all functions.

    Attributes:
        repository: The URI of its ECR repository.
        digest: `sha256:` and its digest in hexadecimal.
    """

    repository: str
    digest: str


@dataclass(frozen=True, slots=True)
class StoredPackages:
    """Where the packages of a manifest are kept for Lambda.

    Attributes:
        bucket: A bucket that keeps versions.
        versions: The version of each function's object, under its package's key.
    """

    bucket: str
    versions: Mapping[str, str]


Manifest = Mapping[str, Package]
"""Packages by function name."""


def read_manifest(out: Path = PACKAGES) -> Manifest:
    """Return the packages that were built into `out`.

    Raises:
        Refused: Nothing was built there, or the manifest cannot be read.
    """
    return {name: Package(**package) for name, package in _read(out)["functions"].items()}


def read_image(out: Path) -> Image | None:
    """Return the image that was built of the packages in `out`, or None.

    Raises:
        Refused: Nothing was built there, or the manifest cannot be read.
    """
    listed = _read(out).get("image")
    return None if listed is None else Image(**listed)


def write_image(out: Path, image: Image) -> None:
    """Write the image of the packages in `out` into their manifest."""
    _write(out, _read(out) | {"image": asdict(image)})


def read_stored(out: Path) -> StoredPackages | None:
    """Return where the packages in `out` are stored, or None before they were.

    Raises:
        Refused: Nothing was built there, or the manifest cannot be read.
    """
    listed = _read(out).get("stored")
    return None if listed is None else StoredPackages(**listed)


def write_stored(out: Path, stored: StoredPackages) -> None:
    """Write where the packages in `out` are stored into their manifest."""
    _write(out, _read(out) | {"stored": asdict(stored)})


def read_intact(out: Path) -> Manifest:
    """Return the packages that were built into `out`, after comparing each with its digest.

    Raises:
        Refused: There is no manifest, or a file is missing or not what the manifest says.
    """
    manifest = read_manifest(out)
    for package in manifest.values():
        for file, sha256 in ((package.file, package.sha256), (package.sbom, package.sbom_sha256)):
            path = out / file
            if not path.is_file() or reproducible_zip.digest(path) != sha256:
                raise Refused(
                    f"{path} is not what the manifest says: {sha256} was built.", "payments package"
                )
    return manifest


def write_packages(out: Path, packages: Manifest) -> None:
    """Write the manifest of these packages, without an image and before they are stored."""
    listing = {
        "target": {"python": wheels.PYTHON_VERSION, "platform": wheels.PLATFORM},
        "functions": {name: asdict(package) for name, package in packages.items()},
    }
    _write(out, listing)


def _read(out: Path) -> dict[str, dict[str, Any]]:
    try:
        listed: dict[str, dict[str, Any]] = json.loads((out / "manifest.json").read_text())
        for package in listed["functions"].values():
            Package(**package)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{out / 'manifest.json'} cannot be read: {error}", "payments package") from error
    return listed


def _write(out: Path, listing: Mapping[str, object]) -> None:
    unfinished = out / ".manifest.json"
    unfinished.write_text(json.dumps(listing, indent=2) + "\n")
    unfinished.replace(out / "manifest.json")
