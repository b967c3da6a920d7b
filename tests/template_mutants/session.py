"""One pytest over the tests of the templates, forked for each mutant with the templates changed in memory.

Tests build templates through the functions that pipelines use. Here each is built once, and what `to_dict`
returns of it has the mutant's change. Tests that noticed a change of the same type come first.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import signal
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

import pytest
from troposphere import Template

from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import synth
from templates import docs, network, payments
from tests.template_mutants import checks
from tests.template_mutants.mutations import Mutant, stack_of
from tests.templates.chosen import templates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]
TESTS: Final = (
    "tests/templates",
    "tests/pipelines/definitions",
    "tests/properties/test_time_budget.py",
    *(
        f"--deselect=tests/{left_out}"
        for left_out in (
            # The golden file notices any change: asked is who says what the changed part is for.
            "templates/test_figures.py",
            # They try the linters themselves, or run them over everything: here they judge what was changed.
            "templates/test_lint.py",
            "templates/test_house_rules.py",
            "templates/test_image_packaging.py::test_linters_find_nothing",
            "pipelines/definitions/test_accepted_by_aws.py::test_cfn_lint_and_our_own_rules_find_nothing_in_the_pipelines_stack",
            "pipelines/definitions/test_accepted_by_aws.py::test_cfn_lint_finds_nothing_in_a_bootstrap_stack",
            "pipelines/definitions/test_images.py::test_linters_find_nothing_in_pipelines_that_build_images",
            # They run programs, or a month of alarms.
            "pipelines/definitions/test_buildspecs.py::test_small_builds_install_all_that_a_command_imports",
            "pipelines/definitions/test_promotion.py::test_what_the_condition_lets_through_arrives_as_it_is",
            "templates/test_alarm_series.py",
        )
    ),
)
_CHANGING: Final = "test_a_bounded_template_"
"""A test that changes the template that it builds needs one of its own."""
_SLOW_SECONDS: Final = 1.5
_LIMIT_SECONDS: Final = 300
_PROCESSES: Final = 1
_OURS: Final = ("tests.", "templates.", "pipelines.", "environments.")


class Judging:
    """A plugin of pytest that tries mutants instead of running its tests once.

    Attributes:
        noticed: Who noticed each mutant: a test's node id, or the linters; nothing when nobody did.
    """

    def __init__(self, mutants: Sequence[Mutant], report: Callable[[Mutant, str], None]) -> None:
        """Take the mutants in this order, and report each as soon as it is judged."""
        self._mutants = mutants
        self._report = report
        self._mutant: Mutant | None = None
        self._read: set[str] = set()
        self._changes_templates = False
        self._uses: dict[str, set[str]] = {}
        self._seconds: dict[str, float] = {}
        self._kills: dict[str, Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once on what is unchanged, then on each mutant."""
        self._hook_templates()
        originals = [*templates().values()]
        self._baseline(session)
        gc.collect()
        gc.freeze()
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in self._mutants:
            while len(running) >= _PROCESSES:
                self._finished(running)
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                self._run(session, mutant, originals, writing)
            os.close(writing)
            running[child] = (mutant, reading)
        while running:
            self._finished(running)
        return True

    def _finished(self, running: dict[int, tuple[Mutant, int]]) -> None:
        child, status = os.wait()
        mutant, reading = running.pop(child)
        with os.fdopen(reading) as told:
            name = told.read() or ("" if status == 0 else "it never ends")
        self._kills[mutant.stack + mutant.kind][name] += 1
        self._kills[mutant.stack][name] += 1
        self._report(mutant, name)

    def _run(self, session: pytest.Session, mutant: Mutant, originals: Sequence[Json], writing: int) -> None:
        """Run the tests of a mutant's stack until one fails, and end this process with the answer."""
        signal.alarm(_LIMIT_SECONDS)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        _forget()
        self._mutant = mutant
        kills, others = self._kills[mutant.stack + mutant.kind], self._kills[mutant.stack]
        items = sorted(
            (item for item in session.items if self._answers_for(item, mutant)),
            key=lambda item: (
                -kills[item.nodeid],
                -others[item.nodeid],
                self._seconds[item.nodeid],
            ),
        )
        name = ""
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._changes_templates = item.name.startswith(_CHANGING)
            if any(report.failed for report in _protocol(item, following)):
                name = item.nodeid
                break
        if not name:
            name = self._linters(mutant, originals)
        os.write(writing, name.encode())
        os._exit(0)

    @staticmethod
    def _linters(mutant: Mutant, originals: Sequence[Json]) -> str:
        for original in originals:
            changed = mutant.applied(original) if stack_of(original) == mutant.stack else None
            if changed is not None:
                return "linters" if checks.linters(changed) - checks.linters(original) else ""
        return ""

    def _answers_for(self, item: pytest.Item, mutant: Mutant) -> bool:
        return mutant.stack in self._uses[item.nodeid] and self._seconds[item.nodeid] < _SLOW_SECONDS

    def _baseline(self, session: pytest.Session) -> None:
        """Note what each test reads and how long it takes, when nothing is changed.

        Raises:
            SystemExit: Tests fail as it is.
        """
        failing = []
        for item in session.items:
            self._read = set()
            self._changes_templates = item.name.startswith(_CHANGING)
            began = time.monotonic()
            failing += [report.nodeid for report in _protocol(item, None) if report.failed]
            self._seconds[item.nodeid] = time.monotonic() - began
            self._uses[item.nodeid] = self._read
        if failing:
            raise SystemExit(f"without any mutant these fail: {failing}")

    def _hook_templates(self) -> None:
        """Build each template once, and let `to_dict` return it changed."""
        known: dict[int, tuple[Template, Json]] = {}
        stock = Template.to_dict
        for module in (network, payments, docs, pipelines_stack, bootstrap_stack, synth):
            setattr(module, "build", self._built_once(getattr(module, "build")))  # noqa: B009, B010 - modules

        def to_dict(template: Template) -> Json:
            stack = stack_of({"Description": template.description or ""})
            if not stack:
                return dict(stock(template))
            self._read.add(stack)
            if id(template) not in known:
                known[id(template)] = (template, stock(template))
            made = known[id(template)][1]
            changed = self._mutant.applied(made) if self._mutant and self._mutant.stack == stack else None
            return dict(json.loads(json.dumps(made if changed is None else changed)))

        setattr(Template, "to_dict", to_dict)  # noqa: B010 - mypy would refuse it

    def _built_once(self, build: Callable[..., Any]) -> Callable[..., Any]:
        built: dict[str, Any] = {}

        def once(*settings: Any) -> Any:
            if self._changes_templates:
                return build(*settings)
            key = repr(settings)
            if key not in built:
                built[key] = build(*settings)
            return built[key]

        return once


def _protocol(item: pytest.Item, following: pytest.Item | None) -> list[pytest.TestReport]:
    from _pytest.runner import runtestprotocol  # noqa: PLC0415 - pytest has no public name for it

    return runtestprotocol(item, nextitem=following, log=False)


def _forget() -> None:
    """Empty the caches of our own modules: they hold what was built of unchanged templates."""
    for cached in gc.get_objects():
        if isinstance(cached, functools._lru_cache_wrapper) and cached.__module__.startswith(_OURS):
            cached.cache_clear()
