"""A value in a file that people wrote: it is set, added or taken out, and every other line stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.setup.answers import with_value

_FILE = "# About it\na: 1\n\ns:\n  x: 1  # why\n\nt:\n  y: 2\n\n\n"


@pytest.mark.parametrize(
    ("text", "path", "value", "becomes"),
    [
        (_FILE, "a", 2, _FILE.replace("a: 1", "a: 2")),
        (_FILE, "t.y", [1, "b"], _FILE.replace("y: 2", "y: [1, b]")),
        (_FILE, "s.x", None, _FILE.replace("  x: 1  # why\n", "")),
        # What is new stands after the last line that says something, in its section or in the file
        (_FILE, "s.z", True, _FILE.replace("# why\n", "# why\n  z: true\n")),
        (_FILE, "t.z", "123", _FILE.replace("y: 2\n", 'y: 2\n  z: "123"\n')),
        (_FILE, "b", "word", _FILE.replace("y: 2\n", "y: 2\nb: word\n")),
        (_FILE, "u.z", 3, f"{_FILE}\nu:\n  z: 3\n"),
        ("s:\nt:\n  y: 2\n", "s.x", 1, "s:\n  x: 1\nt:\n  y: 2\n"),
        ("\n\n", "a", 1, "a: 1\n\n\n"),
        ("", "a", 1, "a: 1\n"),
        # Another section's key of that name is not the one that is meant, nor one that begins alike
        ("s:\n  x: 1\nt:\n  x: 2\n", "t.x", 3, "s:\n  x: 1\nt:\n  x: 3\n"),
        ("ab: 1\n", "a", 2, "ab: 1\na: 2\n"),
    ],
)
def test_one_value_changes_and_every_other_line_stays(text: str, path: str, value: Any, becomes: str) -> None:
    assert with_value(text, path, value) == becomes
