"""The command blocks of the operations pages."""

from __future__ import annotations

import hashlib
import re
import textwrap
from dataclasses import dataclass
from typing import Final

from pipelines.core.repository import ROOT

OPERATIONS: Final = ROOT / "docs" / "operations"
DRILLS: Final = ROOT / "tests" / "drills"
SHELL: Final = "runbooks/index.md"
"""The page whose block is pasted before any other: it defines `output` and `log_of`."""
_PAGES: Final = ("disaster-recovery.md", "index.md", "money-at-stripe.md", "supplies.md")
"""The other pages that somebody follows when something is wrong."""
_FENCE: Final = re.compile(r"^( *)```sh\b[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^## +(.+)$", re.MULTILINE)
_SPAN: Final = re.compile(r"(?<!`)`((?:aws|payments) [^`]+)`(?!`)")


@dataclass(frozen=True, slots=True)
class Block:
    """A command block: what somebody who follows the page pastes."""

    page: str
    section: str
    text: str

    @property
    def digest(self) -> str:
        """What it says, so that a changed block is another one."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


def blocks(page: str) -> list[Block]:
    """The blocks of a page of docs/operations, in its order."""
    text = (OPERATIONS / page).read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        headings = _HEADING.findall(text, 0, fence.start())
        found.append(Block(page, headings[-1] if headings else "", textwrap.dedent(fence[2])))
    return found


def every_block() -> list[Block]:
    """The blocks of all pages that drills follow."""
    return [block for page in every_page() for block in blocks(page)]


def every_page() -> list[str]:
    """The pages that somebody follows when something is wrong."""
    runbooks = [path.relative_to(OPERATIONS).as_posix() for path in OPERATIONS.glob("runbooks/*.md")]
    return sorted([*runbooks, *_PAGES])


def commands_in_prose(page: str) -> list[str]:
    """The commands that its sentences name, which its readers will type."""
    text = _FENCE.sub("", (OPERATIONS / page).read_text(encoding="utf-8"))
    return [" ".join(span.split()) for span in _SPAN.findall(text)]
