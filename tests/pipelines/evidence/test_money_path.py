"""The evidence names what was proven of the money path and what was not; a missing proof is never fine."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.build import check_cache
from pipelines.evidence import money_path, page, reports
from pipelines.evidence.evidence import Evidence, text
from pipelines.evidence.money_path import CAUGHT, HUNTED, SINGLES, MoneyPath
from tests.sample_evidence import PROVEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REPORT = """<testsuites><testsuite time="3">
<testcase classname="tests.integration.data_api.test_races" name="one"/>
<testcase classname="tests.crash_matrix.test_mutants" name="two"><properties>
<property name="mutants hunted" value="3"/><property name="mutants caught" value="3"/>
<property name="unchanged" value="pages"/></properties></testcase>
<testcase classname="tests.crash_matrix.test_single_faults" name="three"><properties>
<property name="single faults" value="40"/></properties></testcase>
<testcase classname="tests.crash_matrix.test_single_faults" name="four"><properties>
<property name="single faults" value="2"/></properties></testcase>
<testcase classname="tests.site.test_browser" name="five"><skipped message="needs a browser"/></testcase>
</testsuite></testsuites>"""


def _with(**changes: Any) -> MoneyPath:
    return replace(PROVEN, suite=replace(PROVEN.suite, **changes))


def _tried(**tried: int) -> MoneyPath:
    words = {name.replace("_", " "): count for name, count in tried.items()}
    return replace(PROVEN, suite=replace(PROVEN.suite, properties={**PROVEN.suite.properties, **words}))


def _in_short() -> MoneyPath:
    return replace(PROVEN, record=replace(PROVEN.record, part=check_cache.SHORTENED))


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    """The artifact of a proof."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / money_path.FILE).write_text(_REPORT)
    (tmp_path / "reports" / check_cache.money_path().file).write_text(json.dumps(asdict(PROVEN.record)))
    return tmp_path


def test_what_was_tried_is_added_up_and_what_was_not_run_has_its_reason(proven: Path) -> None:
    # When an artifact is read
    proof = money_path.read(proven)
    # Then it says what ran, by folder, what the tests counted, and what was left out
    assert proof is not None
    assert proof.suite.properties == {SINGLES: 42, HUNTED: 3, CAUGHT: 3}
    assert (proof.suite.ran, dict(proof.suite.folders)) == (4, {"integration": 1, "crash_matrix": 3})
    assert proof.suite.reasons == {"needs a browser": 1}
    rows = dict(money_path.rows(proof))
    assert rows["not run"] == "1 tests: needs a browser"
    assert rows["code without one protection"] == "3 of 3 noticed"
    # And neither report nor record can be missing
    for name in (money_path.FILE, check_cache.money_path().file):
        kept = (proven / "reports" / name).read_bytes()
        (proven / "reports" / name).unlink()
        assert money_path.read(proven) is None
        (proven / "reports" / name).write_bytes(kept)


def test_folders_that_one_of_two_builds_ran_are_not_named_as_left_out(proven: Path, tmp_path: Path) -> None:
    # Given a source with tests of three folders, one of which is in a browser alone
    for name in ("unit", "integration", "site"):
        (tmp_path / "tests" / name).mkdir(parents=True)
        (tmp_path / "tests" / name / "test_it.py").touch()
    (tmp_path / "tests.xml").write_text('<testsuite><testcase classname="tests.unit.test_it"/></testsuite>')
    # Then it alone was run by none
    reported = (tmp_path / "tests.xml", proven / "reports" / money_path.FILE)
    assert reports.not_run(tmp_path / "tests", *reported) == ["site"]


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (None, "the money path was not proven"),
        (_with(ran=0), "the money path was not proven: no test ran"),
        (_with(failed=("tests.crash_matrix.test_single_faults.one",)), "1 proofs of the money path failed"),
        (_tried(single_faults=0), "the money path was not proven: no test ran, or no fault"),
        (_tried(mutants_hunted=0, mutants_caught=0), "the money path was not proven"),
        (_tried(mutants_caught=87), "a mutant of the money path was not caught"),
    ],
)
def test_a_failed_or_missing_proof_is_a_reason_to_reject(
    evidence: Callable[..., Evidence], proof: MoneyPath | None, why: str
) -> None:
    release = evidence(money_path=proof)
    assert release.recommendation == "reject"
    assert why in text(release)
    assert why in page.html(release)


def test_a_proof_in_short_is_never_fine_and_says_so_wherever_the_evidence_is_shown(
    evidence: Callable[..., Evidence],
) -> None:
    # Given a release whose money path was proven in part alone, as rehearsals do
    release = evidence(money_path=_in_short())
    # Then the approval and the page say it, and how to prove all of it
    assert release.recommendation == "look closely"
    assert "the money path was proven in short" in text(release).splitlines()[0]
    assert "Money path: IN SHORT, as rehearsals do: 2300 tests passed" in text(release)
    assert "make rehearsal FULL=1" in page.html(release)
    # And of a whole one nothing of that
    assert evidence().recommendation == "looks fine"
    assert "SHORT" not in page.html(evidence())


def test_the_page_names_what_ran_and_what_did_not(evidence: Callable[..., Evidence]) -> None:
    shown = page.html(evidence())
    for words in ("9011 tried", "180 tried", "88 of 88 noticed", "29 tests: needs a browser", "MoneyPath:1"):
        assert words in shown, words
