"""What pages show as output is what the commands print; REFRESH_DOCS=1 writes it down anew."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipelines.cli.main import main
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path


_SHOWN = ROOT / "docs" / "start" / "output"
_TEA = {"product_id": "tea", "name": "Green tea", "price": 12.50, "type": "food"}
_KETTLE = {"product_id": "kettle", "name": "Kettle", "price": 39.90, "type": "kitchen"}
_ORDERED = {"requested_count": 2, "delivery_address": "1 Sample Street"}
_SHOP = {
    "products": [_TEA | {"available_count": 5}, _KETTLE | {"available_count": 5}],
    "users": [
        {"user_id": "mary", "username": "Mary", "credit": 100.00},
        {"user_id": "bob", "username": "Bob", "credit": 10.00},
    ],
    "orders": [
        {"order_id": "tea-for-mary", "user_id": "mary", "products": [_TEA | _ORDERED]},
        {"order_id": "kettle-for-bob", "user_id": "bob", "products": [_KETTLE | _ORDERED]},
    ],
}


def told(text: str) -> str:
    """The output without what is different each time: times, and how long things took."""
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "hh:mm:ss.mmm", text)
    text = re.sub(r"after \d+\.\d\d s", "after n.nn s", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("order", ["tea-for-mary", "kettle-for-bob"])
def test_the_page_shows_what_placing_an_order_prints(
    settings: dict[str, str], tmp_path: Path, order: str
) -> None:
    # Given a shop that both orders of the page are of
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(_SHOP), encoding="utf-8")
    runner = CliRunner(env=settings)
    loaded = runner.invoke(main, ["load", str(file)])
    assert loaded.exit_code == 0, loaded.output
    # When an order is placed
    printed = told(runner.invoke(main, ["order", "place", order]).output)
    # Then that is what the page shows
    page = _SHOWN / f"{order}.txt"
    if os.environ.get("REFRESH_DOCS"):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(printed, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == printed, "REFRESH_DOCS=1 writes it down anew"
