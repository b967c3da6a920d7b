"""What Lambda could only fail with is refused when it is packaged, with its file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.build import packaging
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """A function's folder that has everything."""
    folder = tmp_path / "lambdas" / "check_fraud"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Checks."""', encoding="utf-8")
    (folder / "handler.py").write_text("def handler(event, context):\n    return event\n", encoding="utf-8")
    return folder


def test_our_own_functions_can_be_packaged() -> None:
    packaging._check_handlers(ROOT)


@pytest.mark.parametrize(
    "source", ["handler = make()", "@decorated\ndef handler(event, context): ...", "def handler(event): ..."]
)
def test_a_handler_may_be_a_function_or_made(source: str, function: Path) -> None:
    (function / "handler.py").write_text(source, encoding="utf-8")
    packaging._check_handlers(function.parents[1])


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        (
            "handler.py",
            "def run(event): ...",
            r"lambdas/check_fraud/handler.py:1: there is no function `handler`",
        ),
        ("handler.py", "x = 1\ndef handler(:\n", r"lambdas/check_fraud/handler.py:2: invalid syntax"),
        ("rules.py", "\n\nreturn (", r"lambdas/check_fraud/rules.py:3: "),
    ],
)
def test_a_broken_function_is_refused_with_file_and_line(
    name: str, source: str, message: str, function: Path
) -> None:
    (function / name).write_text(source, encoding="utf-8")
    with pytest.raises(Refused, match=message):
        packaging.build(function / "out", root=function.parents[1])


def test_a_folder_without_a_handler_is_refused(function: Path) -> None:
    (function / "handler.py").unlink()
    with pytest.raises(Refused, match=r"lambdas/check_fraud/handler.py:1: there is no such file"):
        packaging._check_handlers(function.parents[1])
