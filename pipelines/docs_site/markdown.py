"""Markdown as generated pages need it: tables, names in code, and where a page comes from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LITERALLY: Final = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]|^~"}
"""Signs that would mean something to Markdown, even inside an HTML element."""


def code(text: object) -> str:
    """A name as it stands in the code; safe inside a table."""
    return f"<code>{escape(str(text), quote=False).translate(_LITERALLY)}</code>"


def codes(texts: Iterable[object]) -> str:
    """Some names, separated by commas."""
    return ", ".join(code(text) for text in texts)


def prose(text: object) -> str:
    """A sentence of the code's own, safe inside a table: `names` stay code, everything else is plain text."""
    plain = " ".join(str(text).split())
    parts = plain.split("`")
    shown = [
        code(part) if odd else escape(part, quote=False).translate(_LITERALLY)
        for odd, part in ((index % 2, part) for index, part in enumerate(parts))
    ]
    return "".join(shown)


def lines(texts: Iterable[str]) -> str:
    """Several lines in one cell."""
    return "<br>".join(texts)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell is Markdown already."""
    body = [[cell.replace("\n", " ") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headers, ["---"] * len(headers), *body]) + "\n"


def mermaid(diagram: str) -> str:
    """A diagram."""
    return f"```mermaid\n{diagram}```\n"


def page(title: str, sources: Sequence[str], *parts: str) -> str:
    """A generated page: its heading, what it is made of, and its parts."""
    origin = f"*Generated from {', '.join(code(source) for source in sources)}.*\n"
    return "\n".join([f"# {title}\n", origin, *parts])
