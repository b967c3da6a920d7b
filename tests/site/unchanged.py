"""What a browser saw of pages, kept in `.cache/pages/` until they change.

A page shows what its HTML, the site's styles and scripts, the browser and our questions make of it, so it is
looked at again when one of these is another. Kept is only what nothing is wrong with, and no page with
diagrams: drawing them takes time, and so may fail once.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pipelines.core.repository import CACHE
from tests.site.browser import AXE, Seen

FOLDER: Final = CACHE / "pages"
_HERE: Final = Path(__file__).parent
_NOT_LOADED: Final = {"search_index.json", "sitemap.xml", "sitemap.xml.gz"}
"""Written beside the pages; none of them is part of what a page shows."""


class Unchanged:
    """The pages of a site that were looked at before, as they are; none with FRESH in the environment.

    `browser` is its version, and `found` counts.
    """

    def __init__(self, site: Path, browser: str, folder: Path = FOLDER) -> None:
        self._site, self._folder = site, folder
        self._around = _digest_of_all_but_pages(site, browser)
        self._used: set[str] = set()
        self.found = 0

    def find(self, page: str) -> Seen | None:
        """Return what was seen of a page, if it is as it was then."""
        if "FRESH" in os.environ:
            return None
        try:
            kept = json.loads((self._folder / self._name(page)).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        self.found += 1
        return Seen(**kept)

    def keep(self, page: str, seen: Seen) -> None:
        """Keep what was seen of a page, if nothing is wrong with it."""
        if seen != Seen(too_wide=min(seen.too_wide, 0)):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = self._folder / f"{os.getpid()}.new"
        scratch.write_text(json.dumps(asdict(seen)), encoding="utf-8")
        scratch.replace(self._folder / self._name(page))

    def forget_the_rest(self) -> None:
        """Remove what is kept of other pages than those that were asked for."""
        for file in self._folder.glob("*"):
            if file.name not in self._used:
                file.unlink(missing_ok=True)

    def _name(self, page: str) -> str:
        content = (self._site / page).read_bytes()
        name = f"{hashlib.sha256(self._around + content).hexdigest()}.json"
        self._used.add(name)
        return name


def _digest_of_all_but_pages(site: Path, browser: str) -> bytes:
    total = hashlib.sha256(f"{browser} {AXE}".encode())
    around = [path for path in site.rglob("*") if path.suffix != ".html" and path.name not in _NOT_LOADED]
    for path in sorted([*around, *_HERE.glob("*.py"), *_HERE.glob("*.js")]):
        if path.is_file():
            total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.digest()
