"""Builds the site with MkDocs; the same source gives the same bytes.

JavaScript that the site serves itself comes from npm: exact versions, proven by hash, never committed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from environments import tools as tools_file
from pipelines.core import git
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE
from pipelines.docs_site import generated, navigation

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

_DEFAULT_REGISTRY: Final = "https://registry.npmjs.org"
_SECONDS: Final = 120  # for a tarball of 18 MB over a slow line


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


def fetch_asset(asset: Asset, cache: Path = CACHE / "npm", home: Path | None = None) -> Path:
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
    content = _member(asset, _download(asset, npm_registry(home or Path.home())))
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as partial:
        partial.write(content)
    # In one step, so that a build beside this one never reads half a file.
    Path(partial.name).replace(kept)
    return kept


def npm_registry(home: Path) -> str:
    """Return where npm on this machine fetches packages: its variable, `~/.npmrc`, or the public registry."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        if configured := os.environ.get(name):
            return configured.rstrip("/")
    file = home / ".npmrc"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
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
    digest = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    if digest != asset.integrity:
        raise Refused(f"{asset.package} {asset.version} of npm's registry is not what was pinned: {digest}")
    return content


def _member(asset: Asset, tarball: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        member = archive.extractfile(asset.member)
        if member is None:
            raise Refused(f"{asset.member} is no file of {asset.package} {asset.version}")
        return member.read()


_NO_TIME: Final = "315532800"
"""1980, as in our zips: for a source that came without its history, as a pipeline's does."""


class _Warnings(logging.Handler):
    """What MkDocs complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def build(root: Path, site: Path, work: Path, command: click.Group) -> int:
    """Build the site of the repository at `root` into `site`, with `work` as the place for generated pages.

    Args:
        root: The repository.
        site: Where to.
        work: A folder of nobody else's.
        command: The command line, which the reference describes.

    Returns:
        How many pages it has.

    Raises:
        Refused: A page, a link or an anchor is missing, or the docs tell something else than the code.
    """
    file = lay_out(root, work, site, command)
    try:
        from mkdocs.commands.build import build as mkdocs_build  # noqa: PLC0415 - a development tool
        from mkdocs.config import load_config  # noqa: PLC0415
        from mkdocs.exceptions import MkDocsException  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise Refused(f"{missing.name} is not installed.", "make install") from missing
    with _collected_warnings() as warnings, _epoch(root):
        try:
            mkdocs_build(load_config(str(file)))
        except MkDocsException as error:
            raise Refused("\n".join([*warnings.lines, str(error)])) from error
    # Its links begin at the root of an address, where no site lies; the bucket has such a page of its own.
    (site / "404.html").unlink(missing_ok=True)
    return sum(1 for _ in site.rglob("*.html"))


@contextmanager
def _collected_warnings() -> Iterator[_Warnings]:
    logger, warnings = logging.getLogger("mkdocs"), _Warnings()
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        yield warnings
    finally:
        logger.removeHandler(warnings)
        logger.propagate = True


@contextmanager
def _epoch(root: Path) -> Iterator[None]:
    """Let MkDocs believe that it is the time of the commit."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or source_date(root)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]


def source_date(root: Path) -> str:
    """Return when the source was committed, in seconds since 1970; 1980 for a source without history."""
    if not (root / ".git").exists():
        return _NO_TIME
    try:
        return git.run(root, "log", "-1", "--format=%ct").strip() or _NO_TIME
    except Refused:
        return _NO_TIME


def lay_out(root: Path, out: Path, site: Path, command: click.Group) -> Path:
    """Write everything that MkDocs needs into `out`, anew.

    Args:
        root: The repository: its docs/ and mkdocs.yml.
        out: A folder of nobody else's.
        site: Where MkDocs is to put the site.
        command: The command line, which the reference describes.

    Returns:
        The configuration file to build.
    """
    shutil.rmtree(out, ignore_errors=True)
    docs = out / "docs"
    shutil.copytree(root / "docs", docs)
    vendor = docs / "assets" / "vendor"
    vendor.mkdir(parents=True)
    shutil.copyfile(fetch_asset(MERMAID), vendor / "mermaid.min.js")
    shutil.copyfile(fetch_asset(IFRAME_WORKER), vendor / "iframe-worker.js")
    generated.write(root, docs, command)
    settings = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = navigation.spelled_out(settings["nav"], docs)
    settings["site_dir"] = str(site)
    written = (root / "docs").rglob("*.md")
    settings["extra"]["written"] = sorted(page.relative_to(root / "docs").as_posix() for page in written)
    if address := navigation.edit_address(tools_file.load()):
        settings["edit_uri_template"] = address
    for extension in settings["markdown_extensions"]:
        if isinstance(extension, dict) and "pymdownx.snippets" in extension:
            # Else a page could show a file's content only to who stands in the repository.
            extension["pymdownx.snippets"]["base_path"] = [str(docs)]
    file = out / "mkdocs.yml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
