"""Takes the docs' pictures of console, terminal and evidence: `make pictures` places orders and looks.

The evidence is that of the last rehearsal, so one comes first. Beside the pictures goes the digest of what
they were made from, so that the docs can say when they are old.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from embedded_aws import instance
from environments import schema
from pipelines.aws.accounts import Aws
from pipelines.build import packaging
from pipelines.cli import local_aws
from pipelines.cli.rehearsal_summary import KEPT
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

    from pipelines.orders.payment_stack import PaymentStack

_FOLDER = ROOT / "docs" / "assets"
_SHOWN = {"console-order": "environments/local/orders/order-2", "console-orders": "environments/local/orders"}
_COLUMNS = 80
_SAMPLES = sorted((ROOT / "environments" / "samples").glob("*.json"))
_TYPED = (
    ("load", *(str(path.relative_to(ROOT)) for path in _SAMPLES)),
    ("order", "place", "order-1"),
    ("order", "place", "order-2"),
)
_ONE_FILE = (
    '<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><style>'
    ".{unique_id}-matrix {{font-family: monospace; font-size: {char_height}px; line-height: {line_height}px}}"
    '{styles}</style><defs><clipPath id="{unique_id}-clip-terminal">'
    '<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>{chrome}'
    '<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">'
    '{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>'
)
"""Rich's own, without the font that it would fetch from a CDN.
https://rich.readthedocs.io/en/stable/console.html#exporting"""


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(chromium.MISSING)
    if not KEPT.exists():
        sys.exit("There is no evidence to take a picture of: run `make rehearsal` first.")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "embedded"
        local = instance.start(root, attached=True, cache=local_aws.CACHE)
        try:
            stack = _deployed(local)
            _type(stack, local)
            rehearsal_orders.place_samples(stack, NOBODY, lambda _: None)
            with served(local) as address, watching.running(path) as browser:
                for name, page in _SHOWN.items():
                    _take(browser, name, address + page)
                _take(browser, "evidence", KEPT.as_uri())
        finally:
            instance.stop(root)
    report = {"console": figures.pictures_digest(ROOT)}
    (ROOT / "docs" / "data" / "pictures.json").write_text(json.dumps(report) + "\n", encoding="utf-8")


def _deployed(local: instance.Instance) -> PaymentStack:
    aws = Aws(schema.load("local"), local.endpoint, local.mongodb_uri)
    deployment.deploy(aws, packaging.build(), stack=None)
    return payment_stack.connect(aws, aws.environment.default_stack)


def _type(stack: PaymentStack, local: instance.Instance) -> None:
    """Draw what a terminal shows of some commands."""
    told = {"AWS_ENDPOINT_URL": local.endpoint, "MONGODB_URI": local.mongodb_uri}
    told |= {"PAYMENTS_ENVIRONMENT": stack.aws.environment.name, "PAYMENTS_STACK": stack.name}
    with Path(os.devnull).open("w") as nowhere:
        terminal = Console(record=True, width=_COLUMNS, file=nowhere)
        for words in _TYPED:
            terminal.print(Text(f"$ payments {' '.join(words)}", style="bold"))
            terminal.print(Text.from_ansi(_shown([sys.executable, "-m", "pipelines.cli", *words], told)))
    svg = terminal.export_svg(title="payments", code_format=_ONE_FILE, unique_id="terminal")
    (_FOLDER / "terminal.svg").write_text(svg + "\n", encoding="utf-8")


def _shown(command: list[str], told: dict[str, str]) -> str:
    """Return what a command writes to a terminal, colours and all."""
    ours, theirs = pty.openpty()
    environment = os.environ | told | {"COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        text = b""
        with suppress(OSError):  # Linux says so when the other end is closed
            while piece := os.read(ours, 65_536):
                text += piece
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


def _take(browser: Browser, name: str, address: str) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 860}, color_scheme="light")
    tab = context.new_page()
    tab.goto(address)
    tab.screenshot(path=_FOLDER / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
