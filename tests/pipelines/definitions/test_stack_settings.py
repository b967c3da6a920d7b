"""The settings of a stack: where they are, and tags that AWS takes whatever the branch is called."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from environments import schema
from pipelines.definitions.artifacts import template_configuration
from pipelines.definitions.configuration_file import Push, tags, write

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_settings_are_where_the_pipelines_read_them(tmp_path: Path) -> None:
    written = write(tmp_path, schema.load("prod"), "payments", {"DatabaseName": "payments-prod"})

    expected = template_configuration("Packages", "prod", "payments").partition("::")[2]
    assert written.relative_to(tmp_path).as_posix() == expected
    said = json.loads(written.read_text())
    assert said["Parameters"] == {"DatabaseName": "payments-prod"}
    assert said["Tags"] == {"system": "payments", "environment": "prod", "owner": "payments"}


def test_a_push_without_an_author_leaves_the_stack_to_the_environment_s_owner() -> None:
    environment = schema.load("branch")
    assert tags(environment, Push("main", "", "0" * 40, AT))["owner"] == environment.owner
    assert tags(environment, Push("main", "ada", "0" * 40, AT))["owner"] == "ada"


def test_settings_are_written_anew(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written = write(tmp_path, schema.load("prod"), "payments", {"DatabaseName": name})
    assert json.loads(written.read_text())["Parameters"] == {"DatabaseName": "b"}


@given(branch=st.text(min_size=1, max_size=300), owner=st.text(max_size=300))
def test_a_branch_s_tags_are_legal_and_say_that_it_is_one(branch: str, owner: str) -> None:
    said = tags(schema.load("branch"), Push(branch, owner, "0" * 40, AT))

    assert said["environment"] == "branch"
    assert said["pushed-at"] == "2026-11-23T08:00:00+00:00"
    assert said["expires-at"] == "2026-11-30T08:00:00+00:00"
    for value in said.values():
        assert re.fullmatch(r"[A-Za-z0-9_ .:/=+@-]{0,256}", value)
