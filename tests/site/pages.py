"""What a page links to and shows, read from its HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Page:
    """One page: where it leads, where one can land on it, and its pictures without a text."""

    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    mute_images: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if identity := given.get("id"):
            self.page.anchors.add(identity)
        for name in ("href", "src"):
            if target := given.get(name):
                self.page.links.append(target)
        if tag == "img" and not given.get("alt"):
            self.page.mute_images.append(str(given.get("src")))


def read(site: Path) -> dict[str, Page]:
    """Every page by its path in the site."""
    return {path.relative_to(site).as_posix(): _read(path) for path in sorted(site.rglob("*.html"))}


def _read(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page
