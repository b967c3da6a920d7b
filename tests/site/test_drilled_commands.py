"""Every command of the operations pages is one that a drill ran as it stands; `make drill` runs them anew."""

from __future__ import annotations

import pytest

from environments.schema import load
from pipelines.deploy import synth
from templates.capabilities.dashboards import QUERIES
from tests.drills import pages, record
from tests.templates.reading import properties


@pytest.mark.parametrize("page", pages.every_page())
def test_every_command_block_is_one_that_a_drill_ran(page: str) -> None:
    # Given the blocks that drills have run, by what they said
    ran = {block["digest"] for drill in record.read().values() for block in drill["ran"]}
    # Then a block that is new, or says something else by now, is to be run: make drill
    assert [block.text for block in pages.blocks(page) if block.digest not in ran] == []


@pytest.mark.parametrize("page", [page for page in pages.every_page() if page.startswith("runbooks/")])
def test_what_a_runbooks_sentences_say_to_type_is_part_of_a_block(page: str) -> None:
    run = "\n".join(block.text for block in pages.every_block())
    assert [named for named in pages.commands_in_prose(page) if named not in run] == []


def test_every_drill_ended_well_three_times_in_a_row() -> None:
    there = {path.stem.removeprefix("test_").replace("_", "-") for path in pages.DRILLS.glob("test_*.py")}
    assert {
        drill: entry["times"] >= record.IN_A_ROW for drill, entry in record.read().items()
    } == dict.fromkeys(there, True)


def test_every_runbook_is_one_that_a_drill_follows() -> None:
    followed = {block["page"] for drill in record.read().values() for block in drill["ran"]}
    assert followed == set(pages.every_page())


def test_every_alarm_is_one_that_a_drill_rang() -> None:
    """A new alarm needs a drill: the disaster made for real, noticed by it, and mended by its runbook."""
    production = synth.build(load("prod"))["payments"].to_dict()
    alarms = {name.removesuffix("Alarm") for name in properties(production, "AWS::CloudWatch::Alarm")}
    rang = {alarm for drill in record.read().values() for alarm in drill["alarms"]}
    assert alarms - rang == set()


def test_one_drill_rings_three_alarms_that_have_nothing_to_do_with_each_other() -> None:
    assert len(record.read()["three-alarms"]["alarms"]) == 3


@pytest.mark.parametrize("query", [name for name, _ in QUERIES.values()])
def test_every_saved_query_is_named_by_a_runbook_whose_reader_needs_it(query: str) -> None:
    runbooks = [page for page in pages.every_page() if page.startswith("runbooks/")]
    texts = [" ".join((pages.OPERATIONS / page).read_text(encoding="utf-8").split()) for page in runbooks]
    assert any(f"*{query}*" in text for text in texts)
