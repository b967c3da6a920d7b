"""One reproducible zip per Lambda function, named by its content, and the manifest that lists them."""

import filecmp
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.build import dependencies, handlers, reproducible_zip, sbom, wheels
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE, DIST, ROOT

PACKAGES = DIST / "packages"
WHEELS = CACHE / "wheels"
_SHARED_LIBRARY = Path("lambdas", "payment_data", "src", "payment_data")
_PAY = {"process_payment", "refund_payment"}
_NOT_SHIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache"}


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


def functions(root: Path = ROOT) -> list[str]:
    """Return the names of the Lambda functions of this repository: the folders that hold a handler."""
    return sorted(handler.parent.name for handler in (root / "lambdas").glob("*/handler.py"))


def build(
    out: Path = PACKAGES,
    *,
    root: Path = ROOT,
    cache: Path = WHEELS,
    library: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Build every function's zip into `out`; what has not changed since the last build is kept.

    Args:
        out: The folder of the zips and of `manifest.json`.
        root: The checkout to build.
        cache: Where locked wheels are kept between builds.
        library: The folder of the shared library, where it is not the checkout's own.
        progress: Called with the name of each function when its package is ready.

    Raises:
        Refused: A module does not parse, or a function has no handler; with file and line.
    """
    handlers.check(root)
    before, after = _previous(out), dict[str, Package]()
    groups = {_group(name) for name in functions(root)}
    third_party = {group: dependencies.shipped(group, root, cache) for group in groups}
    library_files = dict(_contents(library or root / _SHARED_LIBRARY, "payment_data/"))
    listings = {group: sbom.of_group(group, root) for group in groups}

    def packaged_function(name: str) -> Package:
        files = third_party[_group(name)] | library_files
        files |= _contents(root / "lambdas" / name, f"{name}/")
        return _package(name, files, out, before.get(name), listings[_group(name)])

    names = functions(root)
    with ThreadPoolExecutor(os.cpu_count()) as workers:  # compression lets other threads run
        for name, packaged in zip(names, workers.map(packaged_function, names), strict=True):
            after[name] = packaged
            progress(name)
    _write_manifest(out, after)
    return after


def wheels_of(root: Path = ROOT) -> list[wheels.Wheel]:
    """Return the wheels that the functions' packages hold files of."""
    groups = sorted({_group(name) for name in functions(root)})
    requirements = [dependencies.locked(group, root) for group in groups]
    return [wheel for listed in requirements for wheel in wheels.choose(listed, root / "uv.lock")]


def differences(root: Path = ROOT) -> list[str]:
    """Build twice, in different folders and with nothing cached, and name the files that differ."""
    with tempfile.TemporaryDirectory() as first_folder, tempfile.TemporaryDirectory() as second_folder:
        places = [Path(first_folder), Path(second_folder)]
        for place in places:
            build(place / "out", root=root, cache=place / "cache")
        first, second = (place / "out" for place in places)
        names = {path.name for place in (first, second) for path in place.iterdir()}
        same, _, _ = filecmp.cmpfiles(first, second, names, shallow=False)
        return sorted(names - set(same))


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


def _group(name: str) -> str:
    """The dependency group of a function; one that pays can pay by any method, its environment chooses."""
    if name == "data_api":
        return "data-api"
    return "paying-step" if name in _PAY else "step"


def _contents(folder: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix != ".pyc" and not _NOT_SHIPPED.intersection(name.parts):
            yield prefix + name.as_posix(), path.read_bytes()


def _package(
    name: str, files: Mapping[str, bytes], out: Path, before: Package | None, shipped: sbom.Json
) -> Package:
    source = reproducible_zip.names_and_contents(files)
    archive, listing = out / f"{name}.zip", out / f"{name}.cdx.json"
    unchanged = before and before.source == source and archive.exists()
    if not (before and unchanged and reproducible_zip.digest(archive) == before.sha256):
        reproducible_zip.write(archive, files)
    sha256 = reproducible_zip.digest(archive)
    listing.write_text(sbom.of_function(name, sha256, shipped))
    key = f"lambdas/{name}/{sha256}.zip"
    listed = reproducible_zip.digest(listing)
    return Package(archive.name, key, sha256, archive.stat().st_size, source, listing.name, listed)


def _previous(out: Path) -> Manifest:
    try:
        return read_manifest(out)
    except Refused:
        return {}


def _read(out: Path) -> dict[str, dict[str, Any]]:
    try:
        listed: dict[str, dict[str, Any]] = json.loads((out / "manifest.json").read_text())
        for package in listed["functions"].values():
            Package(**package)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{out / 'manifest.json'} cannot be read: {error}", "payments package") from error
    return listed


def _write_manifest(out: Path, packages: Manifest) -> None:
    listing = {
        "target": {"python": wheels.PYTHON_VERSION, "platform": wheels.PLATFORM},
        "functions": {name: asdict(package) for name, package in packages.items()},
    }
    _write(out, listing)


def _write(out: Path, listing: Mapping[str, object]) -> None:
    unfinished = out / ".manifest.json"
    unfinished.write_text(json.dumps(listing, indent=2) + "\n")
    unfinished.replace(out / "manifest.json")
