"""Sentences that a reader had to decode stay out of docs, help, messages and evidence."""

from __future__ import annotations

import re

from pipelines.core.repository import ROOT

_DECODED = re.compile(
    r"nobody may more|nothing is let in|paid by (its|their) being there|mends? what rings|how it does\b"
    r"|person's yes|(waits?|waiting) for a yes|goes its whole way|and that is said|releases what must fail"
    r"|is said to that stack|can be had again|say whom to be|may be its echo|way back can be gone",
    re.IGNORECASE,
)
_READ = {".md", ".py", ".html", ".yml"}


def test_none_of_the_sentences_that_were_replaced_is_back() -> None:
    folders = [ROOT / name for name in ("docs", "pipelines", "templates", "environments", "lambdas")]
    files = [ROOT / "README.md", *(path for folder in folders for path in folder.rglob("*"))]
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files
        if path.suffix in _READ and path.is_file()
        for match in _DECODED.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
