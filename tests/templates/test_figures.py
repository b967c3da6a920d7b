"""No resource, number or switch of a template changes without a person seeing it."""

from __future__ import annotations

import difflib

from tests.templates.figures import FILE, figures


def test_every_figure_is_as_it_was_reviewed() -> None:
    reviewed, now = FILE.read_text(encoding="utf-8"), figures()
    changed = difflib.unified_diff(
        reviewed.splitlines(), now.splitlines(), "reviewed", "now", lineterm="", n=0
    )
    assert reviewed == now, "\n".join([*changed, "", "if so meant: python -m tests.templates.figures"])
