"""A whole rehearsal, approved by clicking: a stranger sees what waits, reads the evidence, and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.core.reporting import NOBODY
from pipelines.promotion import branches
from pipelines.promotion.running_stack import digests
from pipelines.rehearsal import rehearsal
from tests.console.served import served
from tests.proofs import small_builds
from tests.site import browser as watching
from tests.site import chromium

if TYPE_CHECKING:
    from embedded_aws.instance import Instance

_MINUTES = 10 * 60_000


def test_a_release_is_approved_and_a_branch_removed_by_clicking(embedded: Instance) -> None:
    # Given pipelines, a commit on a branch, its merge, and somebody in a browser
    path = chromium.find()
    if path is None:
        pytest.skip(chromium.MISSING)
    prepared = rehearsal.prepare(embedded, NOBODY)
    with served(embedded) as address, watching.running(path) as browser:
        tab = browser.new_context(viewport=watching.DESK).new_page()
        tab.set_default_timeout(_MINUTES)
        tab.goto(address)
        prepared.commit(rehearsal.BRANCH, "Try something", small_builds.files())
        tab.get_by_role("link", name="Branch", exact=True).click()
        tab.get_by_role("row").filter(has_text="Succeeded").filter(has_text="UTC").first.wait_for()
        prepared.merge(rehearsal.BRANCH)

        # When what waits appears by itself, and is opened
        tab.get_by_role("link", name="Pipelines").click()
        tab.get_by_role("link", name="See the evidence and decide").click()
        # Then the evidence is beside the buttons
        evidence = tab.frame_locator("iframe").locator("body")
        evidence.wait_for()
        shown = evidence.inner_text()
        assert f"{prepared.tools.repository} to prod" in shown
        assert "payments-prod does not exist yet" in shown
        assert "payments pipeline approve release" in shown

        # When it is rejected without a reason, that is refused, and nothing is decided
        tab.get_by_role("button", name="Reject").click()
        tab.get_by_text("A rejection needs a reason").wait_for()
        tab.go_back()
        # And when it is approved
        tab.get_by_label("Reason").fill("looks good")
        tab.get_by_role("button", name="Approve").click()
        # Then the release goes on to its end, and production runs what staging runs
        tab.locator("[data-live=run] > p").filter(has_text="Succeeded").wait_for()
        run = [digests(prepared.targets[name], f"payments-{name}") for name in ("staging", "prod")]
        assert run[0] == run[1] != {}
        tab.get_by_role("link", name="All executions of Release").click()
        tab.get_by_role("cell", name="looks good").wait_for()

        # When the branch's stack is removed by its button, and that is approved, too
        tab.get_by_role("link", name="Branch stacks").click()
        tab.get_by_role("button", name=f"Remove the stack of {rehearsal.BRANCH}").click()
        tab.get_by_role("link", name="See the evidence and decide").click()
        assert rehearsal.BRANCH in tab.locator("pre").first.inner_text()
        tab.get_by_role("button", name="Approve").click()
        tab.locator("[data-live=run] > p").filter(has_text="Succeeded").wait_for()
        # Then it is gone
        assert branches.listed(prepared.targets["branch"]) == []
