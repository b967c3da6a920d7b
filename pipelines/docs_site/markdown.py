"""Generated pages as Markdown: tables, names in code, whence a page is, and where code and docs disagree.

A page may be half written: a person explains each thing under a heading of level 3 (`…CodeKey` is for all
names that end so), and `completed` puts the code's facts below. A name without an explanation, or an
explanation without its name, is drift.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


_SECTION: Final = re.compile(r"^### +(.+?) *$", re.MULTILINE)
_TITLE: Final = re.compile(r"\A# .+\n")
_GROUP: Final = re.compile(r"^## ", re.MULTILINE)


def completed(
    page: str, text: str, facts: Mapping[str, str], *, what: str, source: str, overview: str, drift: Drift
) -> str:
    """Return the page with the facts of each name below its explanation.

    Args:
        page: Its path in docs/.
        text: As it was written: headings of level 3 are names.
        facts: Markdown by name.
        what: What the names are, as `state`.
        source: The file that defines them.
        overview: Markdown for the beginning, below the heading.
        drift: Where to note what is missing or left over.
    """
    written = _SECTION.split(text)
    sections = dict(zip(written[1::2], written[2::2], strict=True))
    _compare(page, sections, facts, what=what, source=source, drift=drift)
    parts = [
        f"### {heading}\n{_with(section, ''.join(facts[name] for name in _named(heading, facts)))}"
        for heading, section in sections.items()
    ]
    origin = f"*The facts are generated from {code(source)}.*\n"
    beginning = _TITLE.sub(lambda title: f"{title.group()}\n{origin}", written[0])
    return _with(beginning, overview) + "".join(parts)


def _named(heading: str, facts: Mapping[str, str]) -> list[str]:
    """Return the names that a heading is about."""
    if heading.startswith("…"):
        return [name for name in facts if name.endswith(heading.removeprefix("…"))]
    return [heading] if heading in facts else []


def _compare(
    page: str, sections: Mapping[str, str], facts: Mapping[str, str], *, what: str, source: str, drift: Drift
) -> None:
    explained: set[str] = set()
    for heading, section in sections.items():
        names = _named(heading, facts)
        if not names:
            drift.note(f"docs/{page} explains the {what} {heading}, which {source} does not have.")
        if _GROUP.split(section)[0].strip():
            explained.update(names)
    for name in facts:
        if name not in explained:
            drift.note(
                f"The {what} {name} of {source} is not explained in docs/{page}: write a `### {name}`."
            )


def _with(section: str, facts: str) -> str:
    """Insert the facts before the next heading of level 2, which begins another group."""
    own, *rest = re.split(r"^(?=## )", section, maxsplit=1, flags=re.MULTILINE)
    return f"{own.rstrip()}\n\n{facts}\n{''.join(rest)}"
