"""The manifest of the packages: each function's zip with its digests, the image, and where all are stored.

The bytes of a zip depend on nothing but the names and contents inside.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.build import wheels
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST

_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE_BY_ALL = 0o100644 << 16
"""Lambda runs as a user of its own, so every file must be readable by others
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html, file permissions)."""


def write_zip(archive: Path, files: Mapping[str, bytes]) -> str:
    """Write the files under their archive names; replaces `archive` in one step.

    Returns:
        The SHA-256 of the archive, in hexadecimal.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name}.")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as bundle:
            for entry_name in sorted(files):
                entry = zipfile.ZipInfo(entry_name, date_time=_DOS_EPOCH)
                entry.create_system = _UNIX
                entry.external_attr = _READABLE_BY_ALL
                bundle.writestr(entry, files[entry_name], compress_type=zipfile.ZIP_DEFLATED)
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return file_digest(archive)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def names_and_contents(files: Mapping[str, bytes]) -> str:
    """Return one SHA-256 over every name and content: equal exactly when the archives would be equal."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()


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
            if not path.is_file() or file_digest(path) != sha256:
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
