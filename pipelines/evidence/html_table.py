"""A table of the evidence page: on a phone each row is a card, and each cell says what it is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], code: Sequence[int] = ()) -> str:
    """Return a table as HTML; the columns at the numbers in `code` hold what people copy."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, column, code=number in code)
            for number, (column, value) in enumerate(zip(columns, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return "<p>None.</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{table}</div>'


def _cell(value: str, column: str, *, code: bool) -> str:
    mark = f' class="{value}"' if value in {"passed", "FAILED"} else ""
    escaped = escape(value)
    shown = f"<code>{escaped}</code>" if code and escaped else escaped
    return f'<td data-is="{escape(column)}"{mark}>{shown}</td>'
