"""The third-party packages that ship inside a Lambda: locked, hash-checked, the same on every machine.

The embedded AWS runs the very bytes that AWS runs, so there is one target. It is arm64 Linux, where
Lambda is cheapest; compiled parts are optional accelerators that other machines fall back from
(docs/decisions/one-package-target.md).
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from pipelines.build import wheels
from pipelines.core.refusals import Refused

FROM_THE_RUNTIME: Final = ("boto3", "botocore", "s3transfer", "python-dateutil", "six")
"""AWS puts these into every Python runtime; 17 MB that no zip needs to carry
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html, runtime-included SDK versions)."""
_UNUSED_BY_STRIPE: Final = ("requests", "certifi", "charset-normalizer", "idna")
"""Dependencies that `stripe` declares and never imports here: it uses urllib3 and its own certificates."""
LEFT_OUT: Final = FROM_THE_RUNTIME + _UNUSED_BY_STRIPE
"""Packages that `uv.lock` names for a function and that no zip holds."""
_KEPT_FOLDERS: Final = {"stripe": ("data", "v2")}
"""Folders that are kept of a package; its other folders are types that nothing imports at run time."""


def locked(group: str, root: Path) -> str:
    """Return the exact packages and hashes that `uv.lock` holds for a dependency group, in pip's format."""
    without = [option for name in LEFT_OUT for option in ("--no-emit-package", name)]
    return exported(group, root, "requirements.txt", "--no-header", "--no-annotate", *without)


def exported(group: str, root: Path, form: str, *options: str) -> str:
    """Return what `uv.lock` holds for a dependency group, in one of the formats of `uv export`."""
    command = ["export", "--quiet", "--frozen", "--no-emit-workspace", "--format", form]
    return uv([*command, "--only-group", group, *options], cwd=root)


def shipped(group: str, root: Path, cache: Path) -> dict[str, bytes]:
    """Return the third-party files that a group's packages hold, by their path in the zip.

    Args:
        group: The dependency group.
        root: The checkout with the lock.
        cache: Where wheels are kept between builds; nothing in it is trusted.

    Raises:
        Refused: A wheel is not to be had with the hash in `uv.lock`.
    """
    chosen = wheels.choose(locked(group, root), root / "uv.lock")
    return {
        name: content
        for package, files in wheels.files_of(chosen, cache).items()
        for name, content in files.items()
        if _is_kept(package, name)
    }


def _is_kept(package: str, name: str) -> bool:
    """Return whether a file of a package ships: no bytecode, and no folder that nothing imports."""
    folders = _KEPT_FOLDERS.get(package)
    top, _, rest = name.partition("/")
    folder, _, inside = rest.partition("/")
    return not (name.endswith(".pyc") or (folders and top == package and inside and folder not in folders))


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
