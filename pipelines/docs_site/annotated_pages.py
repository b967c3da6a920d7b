"""Pages half written and half generated: a person explains each thing, the code states its facts.

Such a page is in docs/reference, with a heading of level 3 for each name that the code knows; a heading like
`…CodeKey` is for all names that end so. The build puts the facts below each explanation. A name without an
explanation, or an explanation without its name, is drift.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.docs_site import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.docs_site.markdown import Drift

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
    origin = f"*The facts are generated from {markdown.code(source)}.*\n"
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
