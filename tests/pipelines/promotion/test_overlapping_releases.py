"""Releases that overlap: each is executed only as it was approved last, whatever the others did meanwhile."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evidence.stack_changes import Change, StackChanges
from pipelines.promotion import records

if TYPE_CHECKING:
    from collections.abc import Callable

_STACK = "payments-prod"
_RELEASES = "FGH"


class Production:
    """Production's stack, as releases read and change it: it runs a release, or what somebody made of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = "E"
        self.executed: list[tuple[str, str]] = []
        monkeypatch.setattr(records, "state", lambda *_: _state(self.runs))

    def prepare(self, release: str) -> StackChanges:
        """Return the change set that would make it run a release."""
        differs = (
            [] if release == self.runs else [Change(_STACK, "DataApi", "AWS::Lambda::Function", "Modify")]
        )
        return StackChanges(_STACK, differs, after={"Release": release}, parameters={"Code": release})


def _state(release: str) -> dict[str, Any]:
    template = records.template_digest({"Release": release})
    return {"template": template, "parameters": {"Code": release}, "tags": {}}


class Release:
    """A release on its way, with the record of what was reviewed last."""

    def __init__(self, name: str, production: Production) -> None:
        self.name, self._production, self.asked = name, production, 0
        self.review: dict[str, Any] = {}
        self.seen = ""

    def ask(self) -> None:
        """Record what an approver sees now."""
        nowhere: Any = None
        self.review = records.review(nowhere, [self._production.prepare(self.name)])
        self.seen, self.asked = self._production.runs, self.asked + 1

    def go(self) -> None:
        """Do what Verify, ApproveAgain and the production stage do after a yes."""
        nowhere: Any = None
        while records.moved(self.review, nowhere):
            self.ask()
        prepared = self._production.prepare(self.name)
        assert records.change_differences(self.review[_STACK], prepared) == []
        self._production.executed.append((self.seen, self.name))
        self._production.runs = self.name


@pytest.mark.parametrize("reviews", list(permutations(_RELEASES)), ids="".join)
@pytest.mark.parametrize("approvals", list(permutations(_RELEASES)), ids="".join)
def test_in_every_order_each_change_is_the_one_that_somebody_approved(
    monkeypatch: pytest.MonkeyPatch, reviews: tuple[str, ...], approvals: tuple[str, ...]
) -> None:
    # Given three releases that were all reviewed before any of them went out
    production = Production(monkeypatch)
    releases = {name: Release(name, production) for name in _RELEASES}
    for name in reviews:
        releases[name].ask()
    # When they are approved in any order
    before = []
    for name in approvals:
        before.append(production.runs)
        releases[name].go()
    # Then each was executed from the very state that its approver saw
    assert production.executed == list(zip(before, approvals, strict=True))
    # And only the first was not asked about again
    assert [releases[name].asked for name in approvals] == [1, 2, 2]
    # And the last that was approved is what runs
    assert production.runs == approvals[-1]


@settings(max_examples=100, deadline=None)
@given(
    events=st.lists(st.sampled_from(["ask F", "ask G", "ask H", "go F", "go G", "go H", "back", "by hand"]))
)
def test_nothing_is_ever_executed_that_nobody_saw(events: list[str]) -> None:
    # Given reviews, approvals, rollbacks and changes by hand in any order
    with pytest.MonkeyPatch.context() as monkeypatch:
        production = Production(monkeypatch)
        releases = {name: Release(name, production) for name in _RELEASES}
        changed: dict[str, Callable[[], str]] = {"back": lambda: "E", "by hand": lambda: "?"}
        for event in events:
            if event in changed:
                production.runs = changed[event]()
                continue
            what, _, name = event.partition(" ")
            if what == "ask":
                releases[name].ask()
            elif releases[name].review:
                before = production.runs
                releases[name].go()
                # Then what was executed is the way that its approver saw
                assert production.executed[-1] == (before, name)


def test_a_release_whose_way_is_still_the_approved_one_is_not_asked_about_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a release that was reviewed, another that went out, and its rollback
    production = Production(monkeypatch)
    first, second = (Release(name, production) for name in "FG")
    first.ask()
    second.ask()
    second.go()
    production.runs = "E"
    # Then the first goes out as it was approved
    first.go()
    assert (first.asked, production.executed[-1]) == (1, ("E", "F"))
