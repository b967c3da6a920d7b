"""The page on one's own pipeline, followed in an empty folder by a shell that knows nothing of ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.core.repository import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGE = ROOT / "docs" / "how-to" / "own-pipeline.md"


def _blocks(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the page's template in it; an instance that is left running is stopped."""
    (template,) = _blocks('yaml title="pipeline.yaml"')
    (tmp_path / "pipeline.yaml").write_text(template, encoding="utf-8")
    yield tmp_path
    if (tmp_path / ".embedded-aws").exists():
        _shell(tmp_path, 'export PATH="$PWD/tool/bin:$PATH"; embedded-aws stop')


def _shell(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    tools = (ROOT / ".venv" / "bin" / "uv", CACHE / "awscli" / "bin" / "aws")
    places = folder / "bin"
    places.mkdir(exist_ok=True)
    for tool in tools:
        (places / tool.name).unlink(missing_ok=True)
        (places / tool.name).symlink_to(tool)
    environment = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))
    }
    environment |= {
        "PATH": os.pathsep.join([str(places), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "CHECKOUT": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    return subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_stranger_follows_the_page_from_a_template_to_an_approved_pipeline(folder: Path) -> None:
    # When every command of the page is run, in its order, in one shell
    ran = _shell(folder, "\n".join(_blocks("sh")))
    # Then none failed, so the pipeline ran to its end
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    # And the role's calls are told, each with what allowed it; artifacts are among them
    calls = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"')]
    ours = [call for call in calls if "shop" in call["role"]]
    assert {call["action"].partition(":")[0] for call in ours if call["allowed"]} >= {"s3"}
    # And nothing runs or lies there any more
    assert not (folder / ".embedded-aws").exists()
