"""The third-party packages inside a Lambda: locked, hash-checked, the same everywhere, and listed (SBOM).

The embedded AWS runs the very bytes that AWS runs, so there is one target. It is arm64 Linux, where
Lambda is cheapest; compiled parts are optional accelerators that other machines fall back from
(docs/decisions/one-package-target.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from uv import find_uv_bin

from pipelines.build import wheels
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        [find_uv_bin(), *arguments],
        cwd=cwd,
        env=_with_cache(os.environ if env is None else env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr.strip()}")
    return done.stdout


def _with_cache(env: Mapping[str, str]) -> dict[str, str]:
    """Return uv's environment, with a cache in ours where a home folder takes none: uv does not go without.

    Source: https://docs.astral.sh/uv/concepts/cache/, cache directory.
    """
    usual = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
    try:
        usual.mkdir(parents=True, exist_ok=True)
        writable = os.access(usual, os.W_OK)
    except OSError:
        writable = False
    return {**({} if writable else {"UV_CACHE_DIR": str(CACHE / "uv")}), **env}


Json = dict[str, Any]


def bill_of_materials(group: str, root: Path) -> Json:
    """Return the document of what a dependency group ships; every one holds the shared library.

    Times and random numbers are left out, so the same source gives the same bytes.
    """
    document: Json = json.loads(exported(group, root, "cyclonedx1.5"))
    shipped = [part for part in document["components"] if part["name"] not in LEFT_OUT]
    return {
        "bomFormat": document["bomFormat"],
        "specVersion": document["specVersion"],
        "version": 1,
        "components": [*shipped, _library(root)],
    }


def listing_of(name: str, sha256: str, shipped: Json) -> str:
    """Return the document of a function's zip as JSON text, given the zip's digest in hexadecimal.

    Source: CycloneDX 1.5, metadata.component.
    """
    subject = {"type": "application", "bom-ref": name, "name": name}
    hashes = [{"alg": "SHA-256", "content": sha256}]
    about = {"metadata": {"component": subject | {"hashes": hashes}}}
    inside = {"ref": name, "dependsOn": [part["bom-ref"] for part in shipped["components"]]}
    return json.dumps(shipped | about | {"dependencies": [inside]}, indent=1, sort_keys=True) + "\n"


def _library(root: Path) -> Json:
    stated = tomllib.loads((root / "lambdas" / "payment_data" / "pyproject.toml").read_text())["project"]
    name, version = stated["name"], stated["version"]
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
