"""The console in a real browser: an order's path, an environment's health, branch stacks; by keyboard too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.core import branch_names
from pipelines.core.reporting import NOBODY
from pipelines.rehearsal import rehearsal_orders
from tests.console.served import served
from tests.site import browser as watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Request
    from playwright.sync_api import Page as Tab

    from embedded_aws.instance import Instance
    from pipelines.orders.payment_stack import PaymentStack

_BRANCH = "feature/console"


@pytest.fixture(scope="module")
def stack(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    """A branch's stack with the three sample orders placed in it."""
    stack = deploy(branch_names.stack_name(_BRANCH))
    rehearsal_orders.place_samples(stack, NOBODY, lambda _: None)
    return stack


@pytest.fixture
def pages(console_address: str, stack: PaymentStack) -> list[str]:
    there, which = f"{console_address}environments/branch", f"?stack={stack.name}"
    orders = [f"{there}/orders/{order}{which}" for order in rehearsal_orders.EXPECTED]
    return [
        console_address,
        f"{there}{which}",
        f"{there}/orders{which}",
        *orders,
        f"{console_address}branches",
        f"{console_address}nowhere",
    ]


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    context = browser.new_context(viewport=watching.DESK, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_no_page_complains_nor_asks_another_host(tab: Tab, pages: list[str]) -> None:
    # Given
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "404" not in message.text:
            complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((pages[0], "data:")):
            complaints.append(request.url)

    tab.on("console", said)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", asked)
    # When every page is opened, and looked at again by its own script
    for page in pages:
        tab.goto(page)
    with tab.expect_response(lambda answer: answer.request.headers.get("x-refresh") == "1"):
        tab.goto(pages[1])
    # Then
    assert complaints == []


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(
    browser: Browser, pages: list[str]
) -> None:
    context = browser.new_context(viewport=watching.PHONE, bypass_csp=True)
    tab = context.new_page()
    found = {}
    for page in pages:
        tab.goto(page)
        if problems := watching.problems(tab):
            found[page] = problems
    context.close()
    assert found == {}


def test_an_order_that_failed_shows_where_why_and_what_it_left(tab: Tab, pages: list[str]) -> None:
    # When the order that asks for too much is opened
    tab.goto(next(page for page in pages if "order-2" in page))
    # Then the picture tells the path, the error is there, and nothing was taken
    label = tab.get_by_role("img", name="The path of this execution").get_attribute("aria-label") or ""
    assert "Check order products are available: failed" in label
    assert "Handle failure: passed" in label
    assert "Order placed" not in label
    assert "OutOfStock" in tab.locator("section[aria-labelledby=failures]").inner_text()
    assert tab.locator("section[aria-labelledby=effects] td[data-name=Change]").all_inner_texts() == [
        "0",
        "0",
        "0",
    ]


def test_an_order_that_is_paid_shows_what_it_took(tab: Tab, pages: list[str]) -> None:
    tab.goto(next(page for page in pages if "order-1" in page))
    label = tab.get_by_role("img", name="The path of this execution").get_attribute("aria-label") or ""
    assert "Order placed: passed" in label
    assert "-158.75 EUR" in tab.locator("section[aria-labelledby=effects]").inner_text()


def test_orders_are_found_by_their_state_and_by_keyboard(tab: Tab, pages: list[str]) -> None:
    # Given the list of orders
    tab.goto(next(page for page in pages if "/orders?" in page))
    # When a keyboard chooses those that failed, and opens the first
    tab.get_by_role("link", name="FAILED", exact=True).focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**state=FAILED")
    tab.get_by_role("link", name="order-2").focus()
    tab.keyboard.press("Enter")
    # Then
    tab.get_by_role("heading", name="Order order-2").wait_for()


def test_the_first_tab_stop_skips_to_the_content(tab: Tab, console_address: str) -> None:
    tab.goto(console_address)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to content"


def test_pipelines_that_are_not_deployed_are_told_and_not_a_failure(tab: Tab, console_address: str) -> None:
    tab.goto(console_address)
    assert tab.get_by_text("There is no stack payments-pipelines").first.is_visible()


def test_a_branch_s_stack_has_a_button_that_only_acts_where_it_may(
    browser: Browser, embedded: Instance, stack: PaymentStack
) -> None:
    with served(embedded, may_act=False) as url:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(f"{url}branches")
        # Then what only shows has no button to press
        assert all(button.is_disabled() for button in tab.get_by_role("button").all())
        assert tab.get_by_text("read only").is_visible()
        context.close()
