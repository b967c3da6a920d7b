"""The third-party packages that ship inside a Lambda: locked, hash-checked, the same on every machine.

The embedded AWS runs the very bytes that AWS runs, so there is one target. It is arm64 Linux, where
Lambda is cheapest; compiled parts are optional accelerators that other machines fall back from
(docs/decisions/one-package-target.md).
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from pipelines.core.refusals import Refused

PYTHON_VERSION: Final = "3.13"
PLATFORM: Final = "aarch64-manylinux2014"
FROM_THE_RUNTIME: Final = ("boto3", "botocore", "s3transfer", "python-dateutil", "six")
"""AWS puts these into every Python runtime; 17 MB that no zip needs to carry
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html, runtime-included SDK versions)."""
_UNUSED_BY_STRIPE: Final = ("requests", "certifi", "charset-normalizer", "idna")
"""Dependencies that `stripe` declares and never imports here: it uses urllib3 and its own certificates."""
LEFT_OUT: Final = FROM_THE_RUNTIME + _UNUSED_BY_STRIPE
"""Packages that `uv.lock` names for a function and that no zip holds."""
_KEPT_FOLDERS: Final = {"stripe": ("data", "v2")}
"""Folders that are kept of a package; its others are types that nothing imports at run time."""


def locked(group: str, root: Path) -> str:
    """Return the exact packages and hashes that `uv.lock` holds for a dependency group, in pip's format."""
    without = [option for name in LEFT_OUT for option in ("--no-emit-package", name)]
    return exported(group, root, "requirements.txt", "--no-header", "--no-annotate", *without)


def exported(group: str, root: Path, form: str, *options: str) -> str:
    """Return what `uv.lock` holds for a dependency group, in one of the formats of `uv export`."""
    command = ["export", "--quiet", "--frozen", "--no-emit-workspace", "--format", form]
    return uv([*command, "--only-group", group, *options], cwd=root)


def install(requirements: str, cache: Path) -> Path:
    """The folder where exactly these requirements are installed; made once, then found again.

    Args:
        requirements: What `locked` returned; pip refuses anything whose hash differs.
        cache: Where such folders are kept, one per distinct requirements.
    """
    identity = f"{requirements}{PYTHON_VERSION}{PLATFORM}{_KEPT_FOLDERS}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder = cache / name
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as workplace:
        listing, target = Path(workplace) / "requirements.txt", Path(workplace) / "installed"
        listing.write_text(requirements)
        uv(_install_command(listing, target), cwd=cache)
        _remove_noise(target)
        # Another build may have been quicker; its folder holds the same files.
        if not folder.exists():
            target.rename(folder)
    return folder


def _install_command(listing: Path, target: Path) -> list[str]:
    exactly = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    platform = ["--python-platform", PLATFORM, "--python-version", PYTHON_VERSION]
    # Compiled bytecode and installer records hold paths and times, so two builds would differ.
    quiet = ["--quiet", "--no-compile-bytecode", "--no-installer-metadata"]
    where = ["--python", sys.executable, "--target", str(target), "-r", str(listing)]
    return ["pip", "install", *exactly, *platform, *quiet, *where]


def _remove_noise(target: Path) -> None:
    """Remove what no handler imports: console scripts and packaging records."""
    for unused in [target / "bin", target / ".lock", *target.glob("*.dist-info")]:
        if unused.is_dir():
            shutil.rmtree(unused)
        else:
            unused.unlink(missing_ok=True)
    for package, kept in _KEPT_FOLDERS.items():
        for folder in (target / package).glob("*/"):
            if folder.name not in kept:
                shutil.rmtree(folder)


def uv(arguments: list[str], cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run uv and return what it printed.

    Args:
        arguments: Its command and options.
        cwd: The project it works on.
        env: Its environment variables; ours unless given.

    Raises:
        Refused: It failed; the message holds its standard error.
    """
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [find_uv_bin(), *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr.strip()}")
    return done.stdout
