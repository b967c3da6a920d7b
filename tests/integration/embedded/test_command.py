"""The package's own command, `embedded-aws`: what it prints, what it changes, and how it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import __main__ as command
from embedded_aws import instance
from embedded_aws.codeconnections import repositories
from embedded_aws.core import runtime
from pipelines.core import git


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A folder in which an instance ran, and nothing runs."""
    (tmp_path / "state" / runtime.FOLDER).mkdir(parents=True)
    return tmp_path


def _settings(root: Path) -> dict[str, Any]:
    return runtime.read_settings(root / "state" / runtime.FOLDER)


def test_an_instance_is_started_shown_and_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Given an instance that the command started
    root = tmp_path / "embedded"
    assert command.main(["--root", str(root), "start"]) == 0
    try:
        started = json.loads(capsys.readouterr().out)
        # Then it tells where it answers, then and later
        running = instance.running(root)
        assert running is not None
        assert started == {"endpoint": running.endpoint, "mongodb_uri": "", "pid": running.pid}
        assert command.main(["--root", str(root), "status"]) == 0
        assert json.loads(capsys.readouterr().out) == started
        # And another start is refused
        assert command.main(["--root", str(root), "start"]) == 1
        assert "runs already" in capsys.readouterr().err
    finally:
        # When it is stopped; Then nothing is left, and who stops it again is told so
        assert command.main(["--root", str(root), "stop"]) == 0
    assert not root.exists()
    assert command.main(["--root", str(root), "stop"]) == 1
    assert command.main(["--root", str(root), "status"]) == 1
    assert capsys.readouterr().err.count(f"no embedded AWS runs in {root}") == 2


def test_a_minute_and_a_repository_are_kept_in_its_settings(stopped: Path, tmp_path: Path) -> None:
    # Given two git repositories
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        git.run(folder, "init", "--quiet")
    # When the instance is told of them, one after the other, and of how long a minute takes
    for folder in folders:
        assert command.main(["--root", str(stopped), "repository", f"shop/{folder.name}", str(folder)]) == 0
    assert command.main(["--root", str(stopped), "minute", "0.5"]) == 0
    # Then it knows all of it
    settings = _settings(stopped)
    assert settings["minute_seconds"] == 0.5
    known = {name: Path(entry["folder"]) for name, entry in settings["repositories"].items()}
    assert known == {f"shop/{folder.name}": folder for folder in folders}


def test_what_is_no_repository_is_refused(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--root", str(stopped), "repository", "shop/none", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("embedded-aws: ")
    with pytest.raises(repositories.RepositoryUnavailable):
        instance.register_repository(stopped, "shop/none", tmp_path)
    assert "repositories" not in _settings(stopped)


def test_calls_are_printed_one_a_line(
    embedded: instance.Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--root", str(embedded.root), "calls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["action"] for line in lines] == [
        call.action for call in instance.calls(embedded.root)
    ]
