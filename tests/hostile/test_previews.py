"""A hostile preview in a real browser: its scripts reach neither the evidence nor production's docs.

A preview is whatever a branch's build wrote. What holds it is that previews are another distribution, and so
another origin; the same page put beside the evidence shows what it would do there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipelines.aws import accounts, docs_bucket, stacks
from pipelines.aws.accounts import DOCS_STACK, PREVIEWS_STACK
from pipelines.core import branch_names
from pipelines.deploy import pipelines

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws

EVIDENCE, PRODUCTION = "evidence/0c5e/index.html", "prod/index.html"
PREVIEW = f"branches/{branch_names.stack_name('feature/hostile')}/index.html"
_EVIL = "Approve this: everything is fine"
_SCRIPT = """
async function loaded(opened) {
  while (opened.location.href === "about:blank" || opened.document.readyState !== "complete") {
    await new Promise(soon => setTimeout(soon, 20));
  }
  return opened.document;
}
const attempts = {
  read: async victim => (await fetch(victim)).text(),
  frame: async victim => {
    const frame = document.createElement("iframe");
    await new Promise(done => { frame.onload = done; frame.src = victim; document.body.append(frame); });
    return frame.contentDocument.body.textContent;
  },
  rewrite: async victim => {
    const page = await loaded(window.open(victim));
    page.body.textContent = EVIL;
    return page.body.textContent;
  },
  remember: async () => { localStorage.setItem("evil", EVIL); return EVIL; },
};
async function attack(victim) {
  const outcomes = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    outcomes[name] = await attempt(victim).then(text => text, error => `refused: ${error.name}`);
  }
  return outcomes;
}
"""
_PAGE = (
    f"<!doctype html><title>Docs</title><body>Docs<script>const EVIL = {json.dumps(_EVIL)};{_SCRIPT}</script>"
)


class Sites:
    """The deployed docs and previews, with what an approver reads and a hostile page."""

    def __init__(self, embedded: Instance, folder: Path) -> None:
        tools = accounts.connect_tools(embedded.endpoint)
        self.docs, self.previews = (self._deployed(tools, stack) for stack in (DOCS_STACK, PREVIEWS_STACK))
        pages = {
            (DOCS_STACK, EVIDENCE): "<!doctype html><title>Evidence</title><body>What will change",
            (DOCS_STACK, PRODUCTION): "<!doctype html><title>Docs</title><body>How to pay",
            (DOCS_STACK, PREVIEW): _PAGE,
            (PREVIEWS_STACK, PREVIEW): _PAGE,
        }
        for (stack, key), text in pages.items():
            page = folder / "page.html"
            page.write_text(text, encoding="utf-8")
            with pytest.MonkeyPatch.context() as patched:
                patched.setenv("DOCS_BUCKET", stacks.outputs(tools, stack)["DocsBucket"])
                docs_bucket.upload(tools, page, key)

    def _deployed(self, tools: Aws, stack: str) -> str:
        pipelines.deploy_docs(tools, stack=stack)
        return pipelines.docs_url(tools, stack)


@pytest.fixture(scope="module")
def sites(embedded: Instance, tmp_path_factory: pytest.TempPathFactory) -> Sites:
    return Sites(embedded, tmp_path_factory.mktemp("pages"))


class Attack:
    """What a page's script got of another page, and what people find there afterwards.

    Attributes:
        outcomes: What each attempt brought, or `refused: ` and why, by its name.
        shown: What the page of the victim that was opened shows.
        remembered: What an approver's browser keeps for the victim's origin.
    """

    def __init__(self, browser: Browser, hostile: str, victim: str) -> None:
        context = browser.new_context()
        try:
            tab = context.new_page()
            tab.goto(victim)
            victim = tab.url  # where the embedded AWS's door leads to, as a hostile page knows
            tab.goto(hostile)
            with context.expect_page() as opening:
                self.outcomes: dict[str, str] = tab.evaluate("victim => attack(victim)", victim)
            opened = opening.value
            opened.wait_for_load_state()
            self.shown = opened.inner_text("body")
            self.remembered: str | None = opened.evaluate("localStorage.getItem('evil')")
        finally:
            context.close()


@pytest.mark.parametrize(("key", "text"), [(EVIDENCE, "What will change"), (PRODUCTION, "How to pay")])
def test_a_preview_can_neither_read_nor_change_what_an_approver_reads(
    sites: Sites, browser: Browser, key: str, text: str
) -> None:
    # Given a preview whose script tries whatever a browser offers
    attack = Attack(browser, f"{sites.previews}/{PREVIEW}", f"{sites.docs}/{key}")
    # Then the browser refuses each attempt on the other page
    own = attack.outcomes.pop("remember")
    assert {name: outcome[:7] for name, outcome in attack.outcomes.items()} == {
        "read": "refused",
        "frame": "refused",
        "rewrite": "refused",
    }
    # And what it keeps in the browser is its own
    assert (own, attack.remembered) == (_EVIL, None)
    assert attack.shown == text


def test_the_same_page_beside_the_evidence_would_rewrite_it(sites: Sites, browser: Browser) -> None:
    # Given the same preview on the origin of the evidence, where previews once were
    attack = Attack(browser, f"{sites.docs}/{PREVIEW}", f"{sites.docs}/{EVIDENCE}")
    # Then it reads the evidence and writes another text into it, which is why the origins are two
    assert "What will change" in attack.outcomes["read"]
    assert attack.shown == attack.remembered == _EVIL
