"""In which order pages are read: `nav` of mkdocs.yml with its folders spelled out, and the reference's index.

A folder's order is its index.md's: first the index, then the pages as it links them. So adding a page means
linking it where its readers look for it, and a page that nothing leads to is refused.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from environments.tools import Tools


_LINK: Final = re.compile(r"\]\(([^)\s#]+\.md)(?:#[^)\s]*)?\)")
_HEADING: Final = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)


def spelled_out(nav: list[Any], docs: Path) -> list[Any]:
    """Return the `nav` of mkdocs.yml with each folder as the list of its pages.

    Raises:
        Refused: A page is linked nowhere in its folder's index.
    """
    return [_entry(entry, docs) for entry in nav]


def _entry(entry: Any, docs: Path) -> Any:
    if isinstance(entry, dict):
        [(title, target)] = entry.items()
        if isinstance(target, str) and target.endswith("/"):
            return {title: _pages(target.rstrip("/"), docs)}
        if isinstance(target, list):
            return {title: spelled_out(target, docs)}
    return entry


def _pages(folder: str, docs: Path) -> list[Any]:
    index = docs / folder / "index.md"
    if not index.is_file():
        raise Refused(f"docs/{folder}/index.md is missing; it leads to the pages of its section.")
    # A folder inside is one entry, where its own index is linked.
    pages = {_reached(path.relative_to(docs).as_posix(), folder) for path in (docs / folder).rglob("*.md")}
    pages.discard(f"{folder}/index.md")
    links = _LINK.findall(index.read_text(encoding="utf-8"))
    linked = [posixpath.normpath(posixpath.join(folder, link)) for link in links]
    if left_out := sorted(pages - set(linked)):
        raise Refused(
            f"docs/{folder}/index.md does not link {', '.join(f'docs/{page}' for page in left_out)}.",
            "Link each page in its folder's index, where it is to be read; the menu follows that order.",
        )
    ordered = [page for page in dict.fromkeys(linked) if page in pages]
    return [f"{folder}/index.md", *(_shown(page, folder, docs) for page in ordered)]


def _reached(page: str, folder: str) -> str:
    """Return the page, or the index of the folder inside `folder` that holds it."""
    inside = page.removeprefix(f"{folder}/").split("/")
    return page if len(inside) == 1 else f"{folder}/{inside[0]}/index.md"


def _shown(page: str, folder: str, docs: Path) -> Any:
    if "/" not in page.removeprefix(f"{folder}/"):
        return page
    title = _HEADING.search((docs / page).read_text(encoding="utf-8"))
    return {title.group(1) if title else page: _pages(posixpath.dirname(page), docs)}


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


def reference_index(pages: Mapping[str, str]) -> str:
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


_EDITORS: Final = {
    "GitHub": "https://github.com/{}/edit/{}/docs/",
    "GitLab": "https://gitlab.com/{}/-/edit/{}/docs/",
    "Bitbucket": "https://bitbucket.org/{}/src/{}/docs/",
}


def edit_address(tools: Tools) -> str | None:
    """Return where the provider of the repository lets people edit a page, with `{path}`; none where unknown.

    Not MkDocs' `repo_url`: with that, the theme asks GitHub how many stars the repository has.
    """
    address = _EDITORS.get(tools.provider)
    return address and address.format(tools.repository, tools.release_branch) + "{path}"
