"""Builds the site with MkDocs; the same source gives the same bytes."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import yaml

from pipelines.core import git
from pipelines.core.refusals import Refused
from pipelines.docs_site import assets, generated, navigation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import click

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
    shutil.copyfile(assets.fetch(assets.MERMAID), vendor / "mermaid.min.js")
    shutil.copyfile(assets.fetch(assets.IFRAME_WORKER), vendor / "iframe-worker.js")
    generated.write(root, docs, command)
    settings = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = navigation.spelled_out(settings["nav"], docs)
    settings["site_dir"] = str(site)
    for extension in settings["markdown_extensions"]:
        if isinstance(extension, dict) and "pymdownx.snippets" in extension:
            # Else a page could show a file's content only to who stands in the repository.
            extension["pymdownx.snippets"]["base_path"] = [str(docs)]
    file = out / "mkdocs.yml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
