"""Operators change what they say, samples are repeatable, and no equivalent outlives its code."""

from __future__ import annotations

import ast
import functools
import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from coverage import CoverageData

from pipelines.core.repository import ROOT
from tests.mutants import worker
from tests.mutants.equivalents import equivalents
from tests.mutants.operators import mutations
from tests.mutants.rooms import ELSEWHERE, ROOMS, mutants, sample

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mutants.rooms import Mutant


@functools.cache
def mutants_of(name: str) -> list[Mutant]:
    """All mutants of a room: reading every module of the house once takes long enough."""
    return list(mutants(ROOMS[name]))


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", {"a <= b"}),
        ("a not in b", {"a in b"}),
        ("x = n == 3", {"x = n != 3", "x = n == 4", "x = n == (2)"}),
        ("x = a + b", {"x = a - b"}),
        ("x = (a) and (b)", {"x = (a) or (b)"}),
        ("x = not a", {"x = bool(a)"}),
        ("x = True", {"x = False"}),
        ("if a: x = b", {"if (not (a)): x = b"}),
        ("x = [a for a in b if a]", {"x = [a for a in b if (not (a))]"}),
        ("def f():\n    return a", {"def f():\n    return None"}),
        ("raise E", {"pass"}),
        ("f(a)", {"pass"}),
        ("x += a", {"pass"}),
        ("x = f(a, b)", {"x = f(a, )"}),
        ("x = f(a, key=b)", {"x = f(a, )"}),
        ("x = f(key=a, other=b)", {"x = f( other=b)", "x = f(key=a, )"}),
        ("x = 'ä' < b", {"x = 'ä' <= b"}),
    ],
)
def test_an_operator_changes_a_statement(source: str, changed: set[str]) -> None:
    text = source.encode()
    assert {mutation.applied(text).decode() for mutation in mutations(text)} >= changed


@pytest.mark.parametrize(
    "source",
    [
        "'''A docstring.'''",
        "x: int | None",
        "if TYPE_CHECKING:\n    import a",
        "def f(a: int | str) -> int | None: ...",
        "x = f'{a:3}'",
        "return_value = None",
    ],
)
def test_what_only_readers_and_type_checkers_see_is_left_alone(source: str) -> None:
    assert mutations(source.encode()) == []


def test_what_only_a_linter_wants_said_is_no_mutant() -> None:
    dropped = [
        each for each in mutations(b"x = run(a, b=c, check=False)") if each.operator == "drop argument"
    ]
    assert [each.before.strip() for each in dropped] == ["b=c,"]


@pytest.mark.parametrize("chosen", range(3))
def test_every_mutant_is_another_program(chosen: int) -> None:
    # Given a sample of the mutants of a room, another one each time
    room = ROOMS[random.choice(sorted(ROOMS)[chosen::3])]  # noqa: S311 - no secret
    drawn = sample(mutants_of(room.name), 60, seed=1)
    assert drawn == sample(mutants_of(room.name), 60, seed=1)
    # Then each parses, and is not what it was
    sources = {str(module): module.read_bytes() for module in room.modules()}
    for mutant in drawn:
        source = next(text for path, text in sources.items() if path.endswith(mutant.file))
        assert ast.dump(ast.parse(mutant.mutation.applied(source))) != ast.dump(ast.parse(source)), mutant


def test_naming_an_equivalent_leaves_the_rest_of_the_sample_as_it_is() -> None:
    # Given a sample, of which one mutant turns out to be equivalent
    candidates = mutants_of("orders")
    drawn = sample(candidates, 60, seed=1)
    equivalent = drawn[17]
    # When the sample is drawn without it
    again = sample(candidates, 60, seed=1, passed_over={equivalent.key()})
    # Then one more is drawn, and all others are the same
    assert len(again) == 60
    assert again[:59] == [mutant for mutant in drawn if mutant != equivalent]


def test_a_line_that_a_process_of_a_test_passes_is_known_by_the_test_s_file(tmp_path: Path) -> None:
    # Given a module that one of two files of tests runs in a process of its own
    copy = tmp_path / "copy"
    for file, text in {
        "lambdas/twice.py": "import sys\n\n\ndef twice(n):\n    return n * 2\n\n\nsys.exit(twice(2) != 4)\n",
        "tests/test_one.py": "def test_nothing():\n    pass\n",
        "tests/test_two.py": "import subprocess, sys\n\n\ndef test_it():\n"
        "    subprocess.run([sys.executable, 'lambdas/twice.py'], check=True)\n",
        "pyproject.toml": "[tool.pytest.ini_options]\n",
    }.items():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        (copy / file).write_text(text, encoding="utf-8")
    module = copy / "lambdas" / "twice.py"
    changed = module.read_text(encoding="utf-8").replace("*", "/")
    # When its tests are measured, and those of each file are tried on a change of it
    change = {"file": "lambdas/twice.py", "text": changed, "seconds": 60, "quick": True}
    each_alone = [change | {"first": [first]} for first in ("tests/test_one.py", "tests/test_two.py")]
    tasks = [{"seconds": 60, "apart": True}, *each_alone]
    ran = subprocess.run(
        [sys.executable, worker.__file__, copy, "tests", "json"],
        cwd=copy,
        input="".join(json.dumps(task) + "\n" for task in tasks),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # Then the line is known to be that file's
    data = CoverageData(str(worker.beside(copy, "coverage")))
    data.read()
    contexts = data.contexts_by_lineno(str(module.resolve()))
    assert {context.partition("|")[0] for context in contexts[5]} == {"tests/test_two.py"}
    # And the file that does not run it notices nothing
    statuses = [json.loads(line)["status"] for line in ran.stdout.splitlines()]
    assert statuses == [worker.SURVIVED, worker.SURVIVED, worker.KILLED]


def test_every_module_is_in_a_room_or_is_run_as_a_whole() -> None:
    product = {
        path
        for part in ("environments", "lambdas", "pipelines", "templates")
        for path in (ROOT / part).rglob("*.py")
        if not {"tests", ".venv", "build"} & set(path.relative_to(ROOT).parts)
    }
    in_rooms = {module for room in ROOMS.values() for module in room.modules()}
    elsewhere = {path for path in product - in_rooms if mutations(path.read_bytes())}
    assert elsewhere == {ROOT / file for file in ELSEWHERE}


def test_an_equivalent_mutant_whose_code_is_gone_is_struck_out() -> None:
    files = {file for file, *_ in equivalents()}
    there = {
        (file, each.statement, each.before, each.after)
        for file in files
        for each in mutations((ROOT / file).read_bytes())
    }
    assert set(equivalents()) - there == set()
    assert all(len(why.split()) > 3 for why in equivalents().values())
