"""A gate in the console: answered by keyboard alone, readable by everybody, in both schemes, on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from codepipeline_workbench import Workshop, approve, commands, stage

from tests.site import browser as watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab


_MOST_STOPS = 40
"""Tab stops in which everything on the page must be reached."""


@pytest.fixture
def gate(
    workshop: Workshop, pipelines_stack: Callable[[str], None], evidence: str
) -> Callable[[], tuple[str, str]]:
    """What makes a release wait at its gate, and returns its pipeline and its execution."""
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage(
            "Approve", approve(configuration={"ExternalEntityLink": evidence, "CustomData": "3 <changes>"})
        ),
        stage("Deploy", commands("true")),
    )
    pipelines_stack(name)

    def waits() -> tuple[str, str]:
        execution = workshop.start(name)
        workshop.approval(name, execution)
        return name, execution

    return waits


def _tab_to(tab: Tab, wanted: str) -> None:
    """Press the tabulator until what has this name has the focus."""
    for _ in range(_MOST_STOPS):
        tab.keyboard.press("Tab")
        if wanted in tab.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText"):
            return
    raise AssertionError(f"{wanted} is not reached with the tabulator")


@pytest.mark.parametrize("answer", [("Approve", "Succeeded"), ("Reject", "Failed")])
def test_a_stranger_with_a_keyboard_finds_what_waits_and_answers_it(
    browser: Browser,
    workshop: Workshop,
    console_address: str,
    gate: Callable[[], tuple[str, str]],
    answer: tuple[str, str],
) -> None:
    # Given a release that waits, and the console's first page
    (name, execution), (button, ends) = gate(), answer
    context = browser.new_context(viewport=watching.DESK, reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(console_address)
    # When nothing but the keyboard is used
    _tab_to(tab, "See the evidence and decide")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/gates/**")
    _tab_to(tab, "Reason")
    tab.keyboard.type("seen, and meant so")
    _tab_to(tab, button)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/executions/**")
    # Then it is answered, with the reason
    assert workshop.finished(name, execution)["status"] == ends
    answered = workshop.stage(name, "Approve")["actionStates"][0]["latestExecution"]
    assert answered["summary"] == "seen, and meant so"
    context.close()


def test_axe_finds_nothing_serious_at_a_gate_in_its_evidence_or_after_it_on_a_phone(
    browser: Browser, console_address: str, evidence: str, gate: Callable[[], tuple[str, str]]
) -> None:
    # Given a gate, its evidence, its execution, its pipeline, and a page where nothing waits any more
    _, execution = gate()
    pages = [
        f"{console_address}gates/release/{execution}",
        evidence,
        f"{console_address}pipelines/release/executions/{execution}",
        f"{console_address}pipelines/release",
        f"{console_address}gates/release/00000000-0000-0000-0000-000000000000",
    ]
    context = browser.new_context(viewport=watching.PHONE, bypass_csp=True)
    tab = context.new_page()
    found = {}
    for page in pages:
        assert tab.goto(page) is not None
        if problems := watching.problems(tab):
            found[page] = problems
    context.close()
    # Then
    assert found == {}
