"""Generated pages as Markdown: tables, names in code, whence a page is, and where code and docs disagree."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LITERALLY: Final = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]|^~"}
"""Signs that would mean something to Markdown, even inside an HTML element."""


def code(text: object) -> str:
    """Return a name as code, safe inside a table."""
    return f"<code>{escape(str(text), quote=False).translate(_LITERALLY)}</code>"


def codes(texts: Iterable[object]) -> str:
    """Return names as code, separated by commas."""
    return ", ".join(code(text) for text in texts)


def prose(text: object) -> str:
    """Return a sentence safe inside a table: `names` stay code, everything else is plain text."""
    plain = " ".join(str(text).split())
    parts = plain.split("`")
    shown = [
        code(part) if odd else escape(part, quote=False).translate(_LITERALLY)
        for odd, part in ((index % 2, part) for index, part in enumerate(parts))
    ]
    return "".join(shown)


def lines(texts: Iterable[str]) -> str:
    """Return several lines for one cell."""
    return "<br>".join(texts)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown already."""
    body = [[cell.replace("\n", " ") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headers, ["---"] * len(headers), *body]) + "\n"


def mermaid(diagram: str) -> str:
    """Return a Mermaid diagram as a fenced block."""
    return f"```mermaid\n{diagram}```\n"


def page(title: str, sources: Sequence[str], *parts: str) -> str:
    """Return a generated page: its heading, the files that it is made from, and its parts."""
    origin = f"*Generated from {', '.join(code(source) for source in sources)}.*\n"
    return "\n".join([f"# {title}\n", origin, *parts])


@dataclass(slots=True)
class Drift:
    """What was found so far."""

    findings: list[str] = field(default_factory=list)

    def note(self, finding: str) -> None:
        """Note one; a sentence that names the code's place and the docs' place."""
        if finding not in self.findings:
            self.findings.append(finding)

    def described(self, text: str | None, what: str, source: str, page: str) -> str:
        """Return the description that a page needs, or note that it is missing.

        Args:
            text: The description.
            what: What it should describe, as `The parameter Attempt`.
            source: The file that defines it.
            page: The page that shows it.
        """
        if not (text or "").strip():
            self.note(f"{what} has no description in {source}; docs/{page} is made of it.")
        return text or ""

    def raise_if_any(self) -> None:
        """Refuse when docs and code disagree anywhere.

        Raises:
            Refused: There is one at least.
        """
        if self.findings:
            raise Refused("\n".join(["The docs and the code disagree:", *self.findings]))
