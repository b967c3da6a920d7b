"""The measures on the docs site: put into the built page while it is published, and beside it as JSON.

The build knows nothing of them, so the same source still gives the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Final

from pipelines.core.refusals import Refused
from pipelines.status.dora.measures import described

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.status.dora.measures import Measures

PAGE: Final = "operations/delivery.html"
DATA: Final = "delivery.json"
_PLACE: Final = re.compile(r"(<!-- measures -->).*?(<!-- /measures -->)", re.DOTALL)
_DAY: Final = "%Y-%m-%d"


def write(folder: Path, environment: str, measures: Measures) -> None:
    """Write an environment's measures into a built site.

    Raises:
        Refused: The site has no place for them.
    """
    page = folder / PAGE
    built = page.read_text(encoding="utf-8") if page.is_file() else ""
    filled, places = _PLACE.subn(lambda place: place[1] + _html(environment, measures) + place[2], built)
    if places != 1:
        raise Refused(f"{PAGE} of {folder} has no place for the measures.", "make docs")
    page.write_text(filled, encoding="utf-8")
    document = {"environment": environment, **asdict(measures)}
    text = json.dumps(document, indent=2, default=lambda moment: moment.isoformat(timespec="seconds"))
    (folder / DATA).write_text(text + "\n", encoding="utf-8")


def _html(environment: str, measures: Measures) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in described(measures).items()
    )
    window = f"{measures.since:{_DAY}} to {measures.until:{_DAY}}"
    return (
        f"<p>Measured in <strong>{escape(environment)}</strong>, {window}, when this copy was published; "
        f'also as <a href="../{DATA}">JSON</a>.</p>'
        f"<table><thead><tr><th>measure</th><th>value</th></tr></thead><tbody>{rows}</tbody></table>"
    )
