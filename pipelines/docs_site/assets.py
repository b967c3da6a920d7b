"""JavaScript that the site serves itself, from npm: exact versions, proven by hash, never committed."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE

_DEFAULT_REGISTRY: Final = "https://registry.npmjs.org"
_SECONDS: Final = 120
"""For a tarball of 18 MB over a slow line."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of one version of an npm package.

    Attributes:
        package: its name at the registry.
        version: exactly this one.
        integrity: what the registry says its tarball's SHA-512 is, as npm's lock files write it.
        member: the file inside the tarball.
    """

    package: str
    version: str
    integrity: str
    member: str


MERMAID: Final = Asset(
    "mermaid",
    "11.17.2",
    "sha512-V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg==",
    "package/dist/mermaid.min.js",
)
"""Draws the diagrams."""
IFRAME_WORKER: Final = Asset(
    "iframe-worker",
    "1.0.4",
    "sha512-roeaaI+Lg1LJNfgpCjoRe/+WzEjy9+Z08LoEvu85MCPbBjwm+qXz8Ag5U05lHa6V1CysZyGzE0SOkAtSUA5q7Q==",
    "package/shim/index.js",
)
"""Lets search work in a page that is opened from disk, where browsers start no worker."""


def fetch(asset: Asset, cache: Path = CACHE / "npm", home: Path | None = None) -> Path:
    """Return the file, from the cache or else from the registry that npm on this machine would ask.

    Args:
        asset: What is wanted.
        cache: Where it is kept; under its hash, so another version is another file.
        home: Where `.npmrc` is; the person's home when None.

    Raises:
        Refused: The registry cannot be reached, or gave other bytes than the hash promises.
    """
    name = hashlib.sha256(f"{asset.integrity} {asset.member}".encode()).hexdigest()[:16]
    kept = cache / f"{name}-{Path(asset.member).name}"
    if kept.is_file():
        return kept
    content = _member(asset, _download(asset, registry(home or Path.home())))
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as partial:
        partial.write(content)
    # In one step, so that a build beside this one never reads half a file.
    Path(partial.name).replace(kept)
    return kept


def registry(home: Path) -> str:
    """Return where npm on this machine fetches packages: its variable, `~/.npmrc`, or the public registry."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        if configured := os.environ.get(name):
            return configured.rstrip("/")
    file = home / ".npmrc"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    settings = [line.partition("=") for line in lines]
    registries = [value.strip() for key, _, value in settings if key.strip() == "registry"]
    return (registries[-1] if registries else _DEFAULT_REGISTRY).rstrip("/")


def _download(asset: Asset, base: str) -> bytes:
    url = f"{base}/{asset.package}/-/{asset.package}-{asset.version}.tgz"
    if not url.startswith(("https://", "http://")):
        raise Refused(f"npm's registry is no web address: {base}")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the scheme is checked above
            content: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise Refused(
            f"{asset.package} {asset.version} cannot be fetched from npm's registry: {error}",
            "The docs site serves it itself. Name a registry that answers with NPM_CONFIG_REGISTRY, or with"
            " registry= in ~/.npmrc.",
        ) from error
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if f"sha512-{digest}" != asset.integrity:
        raise Refused(
            f"{asset.package} {asset.version} from npm's registry is not what was pinned: sha512-{digest}"
        )
    return content


def _member(asset: Asset, tarball: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        member = archive.extractfile(asset.member)
        if member is None:
            raise Refused(f"{asset.member} is no file of {asset.package} {asset.version}")
        return member.read()
