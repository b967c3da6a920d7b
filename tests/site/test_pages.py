"""The built site, read without a browser."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from environments import tools as tools_file
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.docs_site import building
from tests.site import pages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_NOT_SOURCE = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".cache",
    ".embedded",
    "dist",
    "site",
    "reports",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)


def bytes_of(site: Path) -> dict[str, bytes]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()
    }


def difference(one: bytes | None, other: bytes | None) -> str:
    """Where two files part, short enough to be read in a report of tests."""
    if one is None or other is None:
        return "only one site has it"
    at = len(os.path.commonprefix([one, other]))  # noqa: RUF071 - bytes are compared, not paths
    around = slice(max(at - 80, 0), at + 80)
    return f"{one[around]!r} but {other[around]!r}"


def test_every_link_leads_to_a_page_and_an_anchor_of_the_site(site: Path) -> None:
    # Given every page with what it links to
    read = pages.read(site)
    broken = []
    for name, page in read.items():
        for link in page.links:
            target = urlsplit(link)
            if target.scheme:
                continue
            # When its target is looked for
            path = (site / name).parent / unquote(target.path) if target.path else site / name
            found = path.resolve().relative_to(site.resolve()).as_posix()
            # Then it is there, and what the fragment names is on it
            anchor = unquote(target.fragment)
            if not path.is_file() or (anchor and anchor not in read[found].anchors):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_what_people_wrote_can_be_edited_and_what_is_generated_cannot(site: Path) -> None:
    # Given where this repository is, by its own file
    tools = tools_file.load()
    address = f"https://github.com/{tools.repository}/edit/{tools.release_branch}/docs/"
    # Then each written page links its source, and no generated one does
    linked = {
        link.removeprefix(address)
        for page in pages.read(site).values()
        for link in page.links
        if link.startswith(address)
    }
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert linked == {path for path in written if not path.startswith(("theme/", "start/output/"))}


def test_every_image_has_a_text(site: Path) -> None:
    assert {name: page.mute_images for name, page in pages.read(site).items() if page.mute_images} == {}


_LONGEST_DECISION = 280
"""Words: a decision is read before it is questioned again, so it has to be short."""


def test_every_decision_says_shortly_why_when_and_what_else_there_was() -> None:
    # Given the pages of decisions
    pages_of_decisions = [
        page for page in (ROOT / "docs" / "decisions").glob("*.md") if page.name != "index.md"
    ]
    incomplete = []
    for page in pages_of_decisions:
        # When one is read
        title, _, date, *_ = (text := page.read_text(encoding="utf-8")).splitlines()
        # Then it has a date, and the parts that a reader of decisions looks for
        parts = [
            part
            for part in ("Context", "Options", "Decision", "Consequences", "Reopen when")
            if f"**{part}" not in text
        ]
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(, changed \d{4}-\d\d-\d\d)?", date) or parts:
            incomplete.append(f"{title}: {date}, without {parts}")
        if (words := len(text.split())) > _LONGEST_DECISION:
            incomplete.append(f"{title}: {words} words, more than {_LONGEST_DECISION}")
    assert incomplete == []


def test_the_same_source_gives_the_same_bytes_with_and_without_its_history(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the source as a pipeline gets it, without .git, and the time of the commit
    shutil.copytree(ROOT, tmp_path / "source", ignore=_NOT_SOURCE)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", building.source_date(ROOT))
    # When it is built in another place
    building.build(tmp_path / "source", tmp_path / "site", tmp_path / "work", main)
    # Then no byte differs
    here, there = bytes_of(site), bytes_of(tmp_path / "site")
    names = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
    assert {name: difference(here.get(name), there.get(name)) for name in names} == {}


def test_a_source_without_history_has_a_date_of_its_own(tmp_path: Path) -> None:
    assert building.source_date(tmp_path) == "315532800"
