"""What an approver sees: the verdict first, the facts in 1,000 characters, the rest on a page of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.build.check_cache import CheckRecord
from pipelines.evidence import evidence as facts
from pipelines.evidence import page
from pipelines.evidence.commits import Commit
from pipelines.evidence.reports import Suite
from pipelines.evidence.risks import IAM, NETWORK, Risk, Severity
from pipelines.evidence.stack_changes import Drift
from pipelines.orders.smoke import SmokeCheck, SmokeReport
from tests.sample_evidence import AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.evidence.evidence import Evidence

RISK = Risk(Severity.HIGH, NETWORK, "payments-network/Group", "newly lets traffic from 0.0.0.0/0 through")
FAILED = SmokeReport(
    "arn:smoke", passed=False, checks=[SmokeCheck("stock", False, "4, not 5")], error="SmokeFailed"
)


def test_a_release_that_is_fine_says_so(evidence: Callable[..., Evidence]) -> None:
    said = facts.text(evidence())
    assert said.startswith("LOOKS FINE\nRelease of 0123456789ab: nothing changes\nRisks: none found\n")
    assert "Tests: 412 passed, 0 failed, 91.4% of lines covered (nothing to compare with)" in said
    assert "Smoke in staging: 1 of 1 checks passed" in said
    assert "- 01234567 Add a thing" in said


@pytest.mark.parametrize(
    ("changes", "recommendation"),
    [
        ({"tests": None}, "reject"),
        ({"tests": Suite(0, 0, (), 0.0)}, "reject"),
        ({"tests": Suite(5, 0, ("test_a.test_b",), 1.0)}, "reject"),
        ({"smoke": FAILED}, "reject"),
        ({"risks": [RISK]}, "look closely"),
        ({"risks": [replace(RISK, severity=Severity.LOW)]}, "looks fine"),
        ({"drift": [Drift("payments-prod", ("DataApi",))]}, "look closely"),
        ({"drift": [Drift("payments-prod", unknown="AccessDenied")]}, "look closely"),
    ],
)
def test_the_recommendation_follows_the_facts(
    evidence: Callable[..., Evidence], changes: dict[str, object], recommendation: str
) -> None:
    found = evidence(**changes)
    assert found.recommendation == recommendation
    assert facts.text(found).lower().startswith(recommendation)


_words = st.text(max_size=400)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    risks=st.lists(st.builds(Risk, st.sampled_from(Severity), st.just(IAM), _words, _words), max_size=30),
    messages=st.lists(_words, max_size=30),
)
def test_the_text_always_fits_an_approval(
    evidence: Callable[..., Evidence], risks: list[Risk], messages: list[str]
) -> None:
    commits = [Commit(f"{number:040x}", message, AT) for number, message in enumerate(messages)]
    said = facts.text(evidence(risks=risks, commits=commits))
    assert 0 < len(said) <= 1000
    listed = sum(line.startswith(("! ", "- ")) for line in said.splitlines())
    if listed < len(risks) + len(messages):
        assert f"{len(risks) + len(messages) - listed} more on the page" in said


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_needs_nothing_from_elsewhere(evidence: Callable[..., Evidence]) -> None:
    elements = _Elements()
    text = page.html(evidence(risks=[RISK]))
    elements.feed(text)
    assert elements.links == ["data:,", "provenance.json"]
    assert {"script", "iframe", "img"}.isdisjoint(elements.tags)
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_fits_a_phone(evidence: Callable[..., Evidence]) -> None:
    # Given a page with tables wider than a phone
    text = page.html(evidence())
    # Then the viewport is the phone's, and each table scrolls inside of itself
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert (
        len(re.findall("<table>", text))
        == len(re.findall('<div class="wide" tabindex="0"><table>', text))
        > 0
    )
    # And each cell of it says what it is, for where the row is a card
    assert len(re.findall("<td", text)) == len(re.findall("<td data-is=", text)) > 0


def test_the_summary_comes_before_the_details(evidence: Callable[..., Evidence]) -> None:
    text = page.html(evidence(risks=[RISK], smoke=FAILED))
    order = [
        "reject",
        "smoke failed in staging",
        "<dt>Risks",
        "<dt>Tests",
        "<dt>Smoke",
        "<h2>Risks",
        "<h2>Details",
    ]
    places = [text.index(words, text.index("<body>")) for words in order]
    assert places == sorted(places)


def test_three_risks_are_on_the_first_screen_and_the_others_one_tap_away(
    evidence: Callable[..., Evidence],
) -> None:
    risks = [replace(RISK, what=f"risk {number}") for number in range(5)]
    text = page.html(evidence(risks=risks))
    more = text.index("<summary>2 more</summary>")
    assert [text.index(f"risk {number}") < more for number in range(5)] == [True] * 3 + [False] * 2


def test_it_says_which_tests_ran_and_which_do_not_in_a_build(evidence: Callable[..., Evidence]) -> None:
    # Given a report of two folders, of a source that an earlier build checked
    tests = Suite(412, 0, (), 80.0, {"unit": 300, "templates": 112})
    build = "Build:1"
    found = evidence(
        tests=tests,
        not_run=["integration"],
        checked=CheckRecord("abc", "2026-11-23T07:00:00+00:00", build, 80, "release", True),
    )
    # Then text and page name them, and where the check was
    said = "112 templates, 300 unit; not in a build: integration"
    assert f"Tested: {said}" in facts.text(found)
    assert said in page.html(found)
    assert "the same source passed before, 2026-11-23T07:00:00+00:00 by Build:1" in page.html(found)


@given(words=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=50))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_what_people_wrote_stays_text(evidence: Callable[..., Evidence], words: str) -> None:
    hostile = f"<script>alert(1)</script>$commit ${{x}} {words}"
    elements = _Elements()
    elements.feed(page.html(evidence(commits=[Commit("0" * 40, hostile, AT)])))
    assert "script" not in elements.tags
