"""Builds the site with MkDocs; the same source gives the same bytes."""

from __future__ import annotations

import logging
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused
from pipelines.docs_site import source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import click

_NO_TIME: Final = "315532800"
"""1980, as in our zips: for a source that came without its history, as a pipeline's does."""


class _Heard(logging.Handler):
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
    file = source.lay_out(root, work, site, command)
    try:
        from mkdocs.commands.build import build as mkdocs_build  # noqa: PLC0415 - a development tool
        from mkdocs.config import load_config  # noqa: PLC0415
        from mkdocs.exceptions import MkDocsException  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise Refused(f"{missing.name} is not installed.", "make install") from missing
    with _listening() as heard, _epoch(root):
        try:
            mkdocs_build(load_config(str(file)))
        except MkDocsException as error:
            raise Refused("\n".join([*heard.lines, str(error)])) from error
    return sum(1 for _ in site.rglob("*.html"))


@contextmanager
def _listening() -> Iterator[_Heard]:
    logger, heard = logging.getLogger("mkdocs"), _Heard()
    logger.addHandler(heard)
    logger.propagate = False
    try:
        yield heard
    finally:
        logger.removeHandler(heard)
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
    """When the source was committed, in seconds since 1970; 1980 for one without its history."""
    if not (root / ".git").exists():
        return _NO_TIME
    asked = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return told.stdout.strip() or _NO_TIME
