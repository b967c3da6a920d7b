"""A browser that opens every page once and writes down what it saw: in light, in dark, on a phone."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from pipelines.docs_site import building

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page as Tab

AXE = building.Asset(
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "package/axe.min.js",
)
PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}
_QUIETLY = [
    "--headless",
    # Chromium's sandbox refuses to run as root, as containers do; it sees our own pages only.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_GRAVE = """
result => result.violations
  .filter(violation => ["serious", "critical"].includes(violation.impact))
  .map(violation => violation.id + ": " + violation.nodes.map(node => node.target.join(" ")).join("; "))
"""
_TOO_WIDE = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
_IN_PAGE = Path(__file__).with_name("in_page.js")


@dataclass(slots=True)
class Seen:
    """What one page showed.

    Attributes:
        console: errors and warnings, and exceptions that nobody caught.
        elsewhere: requests to another host than the site's.
        missing: requests that were answered with an error.
        diagrams: of each its size, its number of nodes, and whether it shows Mermaid's picture of a failure.
        blocks: how many diagrams its HTML promises.
        serious: serious findings of axe-core, but for contrast; what is around the text is looked at where it
            is met first.
        light: too little contrast of a look that was not met before, with the light palette.
        dark: the same with the dark palette.
        too_wide: by how many pixels it is wider than a phone.
        unreachable: what a mouse can use in the text and a keyboard cannot.
    """

    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    diagrams: list[dict[str, Any]] = field(default_factory=list)
    blocks: int = 0
    serious: list[str] = field(default_factory=list)
    light: list[str] = field(default_factory=list)
    dark: list[str] = field(default_factory=list)
    too_wide: int = 0
    unreachable: list[str] = field(default_factory=list)


@contextmanager
def running(chromium: str) -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_QUIETLY)
        yield browser
        browser.close()


def visit_all(browser: Browser, address: str, pages: list[str]) -> dict[str, Seen]:
    """Open every page in one tab and return what each showed, by its path.

    The server has axe-core beside the site, so that the browser compiles it once.
    """
    context = browser.new_context(viewport=DESK, color_scheme="light", reduced_motion="reduce")
    context.add_init_script(path=_IN_PAGE)
    tab = context.new_page()
    seen = {page: Seen() for page in pages}
    now, measured = [Seen()], {"default": set[str](), "slate": set[str](), "frames": set[str]()}
    _listen(tab, address, now)
    for page in pages:
        now[0] = seen[page]
        _visit(tab, address + page, seen[page], measured)
    context.close()
    return seen


def _listen(tab: Tab, address: str, now: list[Seen]) -> None:
    host = address.split("/")[2]

    def said(message: Any) -> None:
        if message.type in {"error", "warning"}:
            now[0].console.append(message.text)

    def asked(request: Any) -> None:
        if request.url.split("/")[2] != host and not request.url.startswith(("data:", "blob:")):
            now[0].elsewhere.append(request.url)

    def answered(response: Any) -> None:
        if response.status >= 400:
            now[0].missing.append(f"{response.status} {response.url}")

    tab.on("console", said)
    tab.on("pageerror", lambda error: now[0].console.append(str(error)))
    tab.on("request", asked)
    tab.on("response", answered)


def _visit(tab: Tab, url: str, seen: Seen, measured: dict[str, set[str]]) -> None:
    answer = tab.goto(url)
    seen.blocks = (answer.text() if answer else "").count('class="mermaid"')
    if seen.blocks:
        tab.wait_for_function("asked.drawn()")
    told = tab.evaluate(
        "measured => asked.all(measured)", {name: sorted(one) for name, one in measured.items()}
    )
    seen.diagrams, seen.unreachable, seen.serious = told["diagrams"], told["unreachable"], told["serious"]
    seen.light, seen.dark = told["light"]["found"], told["dark"]["found"]
    measured["default"].update(told["light"]["measured"])
    measured["slate"].update(told["dark"]["measured"])
    measured["frames"].add(told["frame"])
    tab.set_viewport_size(PHONE)
    seen.too_wide = tab.evaluate("asked.tooWide()")
    tab.set_viewport_size(DESK)


def problems(tab: Tab) -> list[str]:
    """What axe finds serious in an open page, and by how much it is wider than its window; for most, nothing.

    The page's context must bypass its content security policy, which lets no script in. It is read with
    light colours, and its contrast again with dark ones; it is left with those.
    """
    tab.add_script_tag(content=building.fetch_asset(AXE).read_text(encoding="utf-8"))
    tab.emulate_media(color_scheme="light")
    found: list[str] = tab.evaluate(f"axe.run(document).then({_GRAVE})")
    tab.emulate_media(color_scheme="dark")
    dark: list[str] = tab.evaluate(f"axe.run(document, {{ runOnly: ['color-contrast'] }}).then({_GRAVE})")
    too_wide: int = tab.evaluate(_TOO_WIDE)
    return [
        *found,
        *(f"in the dark: {one}" for one in dark),
        *([f"{too_wide} pixels too wide"] if too_wide > 0 else []),
    ]
