"""Takes the docs' pictures of the console: `make pictures` starts an embedded AWS, places orders, and looks.

Beside them goes the digest of what they were made from, so that the docs can say when they are old.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_aws import instance
from environments import schema
from pipelines.aws.accounts import Aws
from pipelines.build import packaging
from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.deploy import deployment
from pipelines.docs_site import figures
from pipelines.orders import payment_stack
from pipelines.rehearsal import rehearsal_orders
from tests.console.served import served
from tests.site import browser as watching
from tests.site import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_FOLDER = ROOT / "docs" / "assets"
_SHOWN = {"console-order": "environments/local/orders/order-2", "console-orders": "environments/local/orders"}


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(chromium.MISSING)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "embedded"
        local = instance.start(root, attached=True)
        try:
            _place_orders(local)
            with served(local) as address, watching.running(path) as browser:
                _take(browser, address)
        finally:
            instance.stop(root)
    report = {"console": figures.pictures_digest(ROOT)}
    (ROOT / "docs" / "data" / "pictures.json").write_text(json.dumps(report) + "\n", encoding="utf-8")


def _place_orders(local: instance.Instance) -> None:
    aws = Aws(schema.load("local"), local.endpoint, local.mongodb_uri)
    deployment.deploy(aws, packaging.build(), stack=None)
    stack = payment_stack.connect(aws, aws.environment.default_stack)
    rehearsal_orders.place_samples(stack, NOBODY, lambda _: None)


def _take(browser: Browser, address: str) -> None:
    _FOLDER.mkdir(exist_ok=True)
    for name, page in _SHOWN.items():
        context = browser.new_context(viewport={"width": 900, "height": 860}, color_scheme="light")
        tab = context.new_page()
        tab.goto(address + page)
        tab.screenshot(path=_FOLDER / f"{name}.png")
        context.close()


if __name__ == "__main__":
    main()
