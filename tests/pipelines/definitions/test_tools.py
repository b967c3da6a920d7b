"""The tools file says what is wrong with it, all at once."""

from pathlib import Path

import pytest

from environments import tools
from environments.problems import EnvironmentInvalid


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


def test_a_rehearsal_may_change_production_at_any_minute() -> None:
    rehearsed = tools.load().rehearsed()

    assert rehearsed.deployment_window.cron == "* * * ? * * *"
    assert tools.Tools.model_validate(rehearsed.model_dump()) == rehearsed
