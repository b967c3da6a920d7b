"""What MkDocs is given to build: the pages in the order of their indexes, anew each time, and their date."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from environments import tools
from pipelines.cli.main import main
from pipelines.docs_site import building, generated

if TYPE_CHECKING:
    from pathlib import Path

_PAGES = {
    "index.md": "# Home\n",
    "start/index.md": "# Start\n\n[b](b.md), then [a](a.md), and [b](b.md) again.\n",
    "start/a.md": "# A\n",
    "start/b.md": "# B\n",
}
_SETTINGS: dict[str, Any] = {
    "nav": [{"Home": "index.md"}, {"Start here": "start/"}],
    "site_dir": "site",
    "extra": {"generator": False},
    "markdown_extensions": ["tables", {"pymdownx.snippets": {"check_paths": True}}],
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with pages in two folders; its code has one page to tell."""

    def write(_root: Path, docs: Path, command: object) -> None:
        assert command is main
        (docs / "reference.md").write_text("# Generated\n", encoding="utf-8")

    monkeypatch.setattr(generated, "write", write)
    for name, text in _PAGES.items():
        (file := tmp_path / "root" / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "root" / "mkdocs.yml").write_text(yaml.safe_dump(_SETTINGS), encoding="utf-8")
    return tmp_path / "root"


def test_mkdocs_is_given_written_and_generated_pages_and_what_they_show(root: Path, tmp_path: Path) -> None:
    # Given no folder yet
    out, site = tmp_path / "work", tmp_path / "site"
    # When everything is laid out in it
    settings = yaml.safe_load(building.lay_out(root, out, site, main).read_text(encoding="utf-8"))
    # Then a folder of the menu is its index, and its pages in the order in which that links them first
    assert settings["nav"] == [
        {"Home": "index.md"},
        {"Start here": ["start/index.md", "start/b.md", "start/a.md"]},
    ]
    # And all pages are there with the scripts that they load, of which those people wrote can be edited
    docs = out / "docs"
    assert {file.relative_to(docs).as_posix() for file in docs.rglob("*") if file.is_file()} == {
        *_PAGES,
        "reference.md",
        "assets/vendor/mermaid.min.js",
        "assets/vendor/iframe-worker.js",
    }
    assert settings["extra"]["written"] == sorted(_PAGES)
    assert f"/{tools.load().repository}/" in settings["edit_uri_template"]
    # And what a page shows of a file is of these pages, wherever the build runs
    assert settings["markdown_extensions"][1]["pymdownx.snippets"]["base_path"] == [str(docs)]
    assert settings["site_dir"] == str(site)


def test_a_page_that_is_gone_is_not_in_the_next_site(root: Path, tmp_path: Path) -> None:
    # Given a site that was laid out with a page which is gone since
    (root / "docs" / "old.md").write_text("# Old\n", encoding="utf-8")
    building.lay_out(root, tmp_path / "work", tmp_path / "site", main)
    (root / "docs" / "old.md").unlink()
    # When it is laid out again
    building.lay_out(root, tmp_path / "work", tmp_path / "site", main)
    # Then it is gone there, too
    assert not (tmp_path / "work" / "docs" / "old.md").exists()


def test_a_site_has_the_date_of_its_commit(tmp_path: Path) -> None:
    # Given a commit of a known second
    who = {f"GIT_{who}_{what}": "ada" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "1700000000 +0100", "GIT_COMMITTER_DATE": "1700000060 +0100"}
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "Begin"]):
        command = ["git", "-C", str(tmp_path), *words]
        subprocess.run(command, env=os.environ | who | dates, check=True)
    assert building.source_date(tmp_path) == "1700000060"
    # And one without commits, or without a history, has that of our zips
    (tmp_path / "new").mkdir()
    assert building.source_date(tmp_path / "new") == "315532800"
    subprocess.run(["git", "-C", str(tmp_path / "new"), "init", "-q"], check=True)  # noqa: S607 - git is where PATH says
    assert building.source_date(tmp_path / "new") == "315532800"
