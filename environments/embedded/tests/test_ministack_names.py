"""The private names of MiniStack: behind one door, each one used, and held to the list at the start."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import embedded_aws
from embedded_aws.core import ministack_names
from embedded_aws.core.ministack_names import MiniStackUnsuitable, Private

_SOURCES = Path(embedded_aws.__file__).parent
_MOST = 60


def _attributes(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what a source reads or sets of the modules that it imports: the module, and the attribute."""
    tree = ast.parse(file.read_text())
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield imported.get(node.value.id, ""), node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}", alias.name) for alias in node.names)


def test_no_private_name_is_reached_but_through_the_door() -> None:
    reached = {
        f"{file.name}: {module}.{name}"
        for file in _SOURCES.rglob("*.py")
        for module, name in _attributes(file)
        if module.startswith("ministack") and name.startswith("_") and not name.startswith("__")
    }
    assert reached == set()


def test_the_list_is_what_the_sources_use_and_it_is_short() -> None:
    door = {id(each): name for name, each in vars(ministack_names).items() if isinstance(each, Private)}
    listed = {f"{door[id(private)]}.{name}" for private in ministack_names.MODULES for name in private.names}
    used = {
        f"{node.value.attr}.{node.attr}"
        for file in _SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "private"
    }
    assert used == listed
    assert len(listed) <= _MOST


def test_a_name_that_is_gone_or_takes_something_else_is_named_with_the_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a MiniStack without one name, and with another that takes other parameters
    router = "ministack.core.router"
    there, gone = Private("ministack.services.iam", {"roles": "list"}), Private(router, {"gone": "dict"})
    monkeypatch.setattr(ministack_names, "MODULES", (there, gone))
    # When it is held to the list
    with pytest.raises(MiniStackUnsuitable) as refused:
        ministack_names.check()
    # Then both are named
    assert "has no ministack.services.iam._roles as list (it has AccountScopedDict)" in str(refused.value)
    assert "ministack.core.router._gone" in str(refused.value)
    assert str(refused.value).startswith(f"MiniStack {ministack_names.MADE_FOR} ")


def test_a_name_that_is_not_listed_cannot_be_had() -> None:
    with pytest.raises(AttributeError, match=r"_tags of ministack\.services\.ec2 is not in the list"):
        _ = ministack_names.ec2.tags


def test_a_start_that_is_refused_says_why(tmp_path: Path) -> None:
    # Given a MiniStack that lacks a name
    lacking = (
        "from embedded_aws.core import ministack_names as names; from embedded_aws import server\n"
        "names.MODULES = (names.Private('ministack.core.router', {'gone': 'dict'}),)\n"
        "server.main()"
    )
    command = [sys.executable, "-c", lacking, f"--root={tmp_path}", "--no-mongodb"]
    # When an instance is started on it
    environment = os.environ | {"PYTHONPATH": str(_SOURCES.parent)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    # Then it ends, and its log names what is missing
    assert ended.returncode == 1
    assert "has no ministack.core.router._gone" in (tmp_path / "server.log").read_text()
