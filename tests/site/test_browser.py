"""Pages in a real browser, opened once and when they change; each claim is about all that was seen."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.docs_site import building
from tests.conftest import UNCHANGED
from tests.site import browser as watching
from tests.site import served
from tests.site.unchanged import Unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

    from tests.site.browser import Seen


FEW: Final = 20
"""Pages that are all opened: as many as a change of the docs touches."""


@pytest.fixture(scope="module")
def address(published: Path) -> Iterator[str]:
    shutil.copyfile(building.fetch_asset(watching.AXE), published / "axe.min.js")
    with served.serving(published) as url:
        yield url


@pytest.fixture(scope="module")
def unchanged(browser: Browser, site: Path) -> Unchanged:
    return Unchanged(site, browser.version)


def chosen(site: Path, pages: list[str]) -> list[str]:
    """All pages with FRESH; else those with diagrams, which differ most, and a twelfth of the others."""
    drawn = [page for page in pages if 'class="mermaid"' in (site / page).read_text(encoding="utf-8")]
    others = [page for page in pages if page not in drawn]
    if "FRESH" in os.environ or len(others) < FEW:
        return pages
    return drawn + random.sample(others, len(others) // 12)


@pytest.fixture(scope="module")
def seen(browser: Browser, site: Path, address: str, unchanged: Unchanged) -> dict[str, Seen]:
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    known = {page: unchanged.find(page) for page in pages}
    found = {page: one for page, one in known.items() if one is not None}
    visited = watching.visit_all(
        browser, address, chosen(site, [page for page in known if page not in found])
    )
    for page, one in visited.items():
        unchanged.keep(page, one)
    unchanged.forget_the_rest()
    return found | visited


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Tab]:
    context = browser.new_context(viewport=watching.DESK, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_no_page_complains_in_the_console(
    seen: dict[str, Seen], unchanged: Unchanged, record_property: Callable[[str, object], None]
) -> None:
    if unchanged.found:
        record_property(UNCHANGED, f"{unchanged.found} of {len(seen)} pages")
    assert {page: one.console for page, one in seen.items() if one.console} == {}


def test_no_page_asks_another_host(seen: dict[str, Seen]) -> None:
    assert {page: one.elsewhere for page, one in seen.items() if one.elsewhere} == {}


def test_no_page_asks_for_what_is_not_there(seen: dict[str, Seen]) -> None:
    assert {page: one.missing for page, one in seen.items() if one.missing} == {}


def test_every_diagram_is_drawn(seen: dict[str, Seen]) -> None:
    # Given the pages that promise diagrams
    promised = {page: one for page, one in seen.items() if one.blocks}
    assert len(promised) >= 7
    # Then each shows as many, of a size, with nodes, and none is the picture of a failure
    for page, one in promised.items():
        assert len(one.diagrams) == one.blocks, page
        for diagram in one.diagrams:
            assert diagram["width"] > 100, page
            assert diagram["height"] > 50, page
            assert diagram["nodes"] >= 2, page
            assert not diagram["failed"], page


def test_no_page_scrolls_sideways_on_a_phone(seen: dict[str, Seen]) -> None:
    assert {page: one.too_wide for page, one in seen.items() if one.too_wide > 0} == {}


def test_no_page_has_serious_accessibility_findings(seen: dict[str, Seen]) -> None:
    assert {page: one.serious for page, one in seen.items() if one.serious} == {}


def test_no_text_lacks_contrast_in_the_light_or_in_the_dark(seen: dict[str, Seen]) -> None:
    assert {page: one.light for page, one in seen.items() if one.light} == {}
    assert {page: one.dark for page, one in seen.items() if one.dark} == {}


def test_whatever_a_mouse_uses_a_keyboard_reaches(seen: dict[str, Seen]) -> None:
    assert {page: one.unreachable for page, one in seen.items() if one.unreachable} == {}


def test_the_first_key_leads_past_the_menu(tab: Tab, address: str) -> None:
    # When Tab and Enter are pressed on a page just opened
    tab.goto(f"{address}reference/errors.html")
    tab.keyboard.press("Tab")
    assert "md-skip" in tab.evaluate("document.activeElement.className")
    tab.keyboard.press("Enter")
    # Then the reader is at its heading, and the next Tab goes on from there
    assert tab.evaluate("location.hash") == "#errors"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('main') !== null")


def test_search_finds_what_the_code_generated_and_what_people_wrote(tab: Tab, address: str) -> None:
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for asked, found in (("OutOfStock", "reference/errors.html"), ("MiniStack", "decisions/ministack.html")):
        # When somebody writes into the search
        tab.goto(f"{address}index.html")
        tab.locator(".md-search__input").click()
        tab.keyboard.type(asked)
        # Then a result leads to the page
        tab.locator(f".md-search-result__link[href*='{found}']").first.wait_for()
    assert complaints == []


def test_the_palette_follows_the_system_and_the_reader(browser: Browser, address: str) -> None:
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    for system, other in (("light", "slate"), ("dark", "default")):
        # Given a system that is light, or dark
        context = browser.new_context(color_scheme=system)  # type: ignore[arg-type]
        tab = context.new_page()
        tab.goto(f"{address}index.html")
        tab.wait_for_function(f"{scheme} === '{'default' if system == 'light' else 'slate'}'")
        # When the reader switches
        tab.locator("label.md-header__button[for^='__palette']:visible").click()
        # Then the page is the other, and stays it
        tab.wait_for_function(f"{scheme} === '{other}'")
        tab.reload()
        tab.wait_for_function(f"{scheme} === '{other}'")
        context.close()


def test_the_version_can_be_chosen(tab: Tab, address: str) -> None:
    tab.goto(f"{address}index.html")
    tab.locator(".md-version").wait_for()
    assert served.FOLDER in tab.locator(".md-version").inner_text()


def test_search_works_from_disk_and_finds_a_name_by_a_part_of_it(browser: Browser, site: Path) -> None:
    # Given the site opened as a file, without any server
    context = browser.new_context()
    tab, complaints = context.new_page(), list[str]()
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.goto((site / "index.html").as_uri())
    # When a part of OrdersParked is searched for
    tab.get_by_role("textbox", name="Search").first.click()
    tab.keyboard.type("parked")
    # Then the runbook of that alarm is the first result
    first = tab.locator(".md-search-result__item h1").first
    first.wait_for()
    assert first.inner_text() == "OrdersParked"
    # And nothing was asked for that no disk has, as a list of versions
    assert complaints == []
    context.close()
