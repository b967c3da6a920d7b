"""The tools account's file says what is wrong with it, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import ValidationError

from environments import tools
from environments.files import EnvironmentInvalid

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_of_the_house_is_right() -> None:
    assert tools.load().account == "444444444444"


def test_every_mistake_is_told_with_its_key(tmp_path: Path) -> None:
    # Given a file with three mistakes
    text = tools.FILE.read_text().replace('"444444444444"', '"4444"').replace("* * 8-15", "0 8-15")
    file = tmp_path / "tools.yml"
    file.write_text(text.replace("bake_minutes", "bake_hours"))

    # When it is read
    with pytest.raises(EnvironmentInvalid) as invalid:
        tools.load(file)

    # Then each is told
    for key in ("account", "deployment_window.cron", "bake_minutes", "bake_hours"):
        assert f"tools.yml: {key}: " in str(invalid.value)


def changed(folder: Path, **changes: Any) -> Path:
    """Write the file of the house with some keys changed."""
    file = folder / "tools.yml"
    file.write_text(yaml.safe_dump(yaml.safe_load(tools.FILE.read_text()) | changes))
    return file


def window(cron: str) -> dict[str, Any]:
    return {"deployment_window": {"cron": cron, "time_zone": "Europe/Berlin"}}


@pytest.mark.parametrize("cron", ["* * 8-15 ? * MON-THU", "* * 8-15 ? * MON-THU *"])
def test_a_window_is_seconds_and_then_five_or_six_fields(tmp_path: Path, cron: str) -> None:
    assert tools.load(changed(tmp_path, **window(cron))).deployment_window.cron == cron


@pytest.mark.parametrize("cron", ["* 8-15 ? * MON", "* * 8-15 ? * MON-THU * *", "0 * 8-15 ? * MON-THU *", ""])
def test_another_window_is_refused(tmp_path: Path, cron: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"deployment_window\.cron: .* is not \* and then minutes"):
        tools.load(changed(tmp_path, **window(cron)))


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [("bake_minutes", 1, 1440), ("approval_hours", 1, 1440), ("branch_expiry_days", 1, 365)],
)
def test_a_number_is_within_its_limits(tmp_path: Path, key: str, least: int, most: int) -> None:
    for allowed in (least, most):
        assert getattr(tools.load(changed(tmp_path, **{key: allowed})), key) == allowed
    for refused in (least - 1, most + 1, str(least)):
        with pytest.raises(EnvironmentInvalid, match=f"{key}: "):
            tools.load(changed(tmp_path, **{key: refused}))


@pytest.mark.parametrize("key", ["release_branch", "repository"])
def test_a_text_that_says_nothing_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=f"{key}: "):
        tools.load(changed(tmp_path, **{key: ""}))


def test_it_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError):
        setattr(tools.load(), "account", "1" * 12)  # noqa: B010 - mypy would refuse it before pydantic does


def test_a_rehearsal_may_change_production_at_any_minute() -> None:
    rehearsed = tools.load().rehearsed()

    assert (rehearsed.deployment_window.cron, rehearsed.bake_minutes) == ("* * * ? * * *", 1)
    assert tools.Tools.model_validate(rehearsed.model_dump()) == rehearsed
    assert rehearsed.model_copy(update={"bake_minutes": 15}).repository == tools.load().repository
