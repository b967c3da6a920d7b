"""The first page of the reference: its pages by what a reader looks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADING: Final = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
_GROUPS: Final = (
    (
        "Use it",
        "What you type, what you may set, and what you call.",
        ("commands", "environments", "data-api"),
    ),
    ("Orders", "What happens to one, and what can go wrong.", ("payment-", "smoke-", "errors", "alarms")),
    ("Pipelines", "What each runs, action by action, and what checks them.", ("pipeline-", "house-rules")),
    ("Stacks", "What is deployed, who reaches whom, what it costs.", ("topology", "stack-", "cost")),
    ("Assumptions", "What nobody has proven on real AWS, and how to prove it.", ("assumptions",)),
    ("Permissions", "What each role may do, and why, statement by statement.", ("permissions-",)),
)
"""Title, content, and how its pages' names begin; the navigation refuses a page that is in none of them."""


def index_page(pages: Mapping[str, str]) -> str:
    """Return the first page of the reference.

    Args:
        pages: The reference's other pages by their paths.
    """
    parts: list[str] = []
    for title, about, beginnings in _GROUPS:
        named = [name for begun in beginnings for name in pages if name.startswith(f"reference/{begun}")]
        links = "\n".join(_link(name, pages[name]) for name in named)
        parts += [f"## {title}\n", f"{about}\n", f"{links}\n"]
    introduction = (
        "What the code says of itself: written anew with every build, so it cannot be out of date. Each page"
        " names the files that it is generated from.\n"
    )
    return "\n".join(["# Reference\n", introduction, *parts])


def _link(name: str, text: str) -> str:
    title = _HEADING.search(text)
    return f"- [{title.group(1) if title else name}]({name.removeprefix('reference/')})"
