"""Drop or change every part of every template in turn, and say who notices.

python -m tests.template_mutants [--sample N] [--seed S] [--stack payments] [--publish]

What CloudFormation or the linters notice is known at once. The golden file of the templates notices all else,
and a person reviews it; of a sample of that, it is said which part some test says the meaning of.
It goes on where it was stopped, as long as the templates are what they were.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import random
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.core.repository import ROOT
from pipelines.docs_site.figures import templates_digest
from tests import sample_environments  # noqa: F401 - the golden file is of the samples
from tests.template_mutants import checks, without_effect
from tests.template_mutants.mutations import Mutant, digest, mutants
from tests.template_mutants.session import TESTS, Judging
from tests.templates import figures
from tests.templates.chosen import templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_PYTEST: Final = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
_JOURNAL: Final = ROOT / "reports" / "template-mutants.jsonl"
_PUBLISHED: Final = ROOT / "docs" / "data" / "template-mutants.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants; fail where the golden file does not hold the templates of today."""
    parser = argparse.ArgumentParser(prog="tests.template_mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=500, help="how many others are tests asked about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stack", default="", help="network, payments, docs, pipelines or bootstrap")
    parser.add_argument("--publish", action="store_true", help=f"write {_PUBLISHED.relative_to(ROOT)}")
    parser.add_argument("--part", default="*", help="a pattern of type and path, as AWS::Lambda::Permission*")
    options = parser.parse_args(arguments)
    every = [
        mutant
        for mutant in mutants()
        if options.stack in ("", mutant.stack)
        and fnmatch.fnmatchcase(f"{mutant.kind} {mutant.place}", options.part)
    ]
    quick = _judged(every, _quickly)
    others = [mutant for mutant in every if not quick[mutant]]
    asked = [mutant for mutant in others if not without_effect.reason(mutant)]
    drawn = random.Random(options.seed).sample(asked, min(options.sample, len(asked)))  # noqa: S311 - no secret
    tested = _judged(drawn, _by_tests)
    unreviewed = figures.FILE.read_text(encoding="utf-8") != figures.figures()
    counts = {
        "mutants": len(every),
        "refused_by_cloudformation": sum(name in {"references", "schemas"} for name in quick.values()),
        "found_by_linters": sum(name == "rules" for name in quick.values()),
        "without_effect": len(others) - len(asked),
        "in_the_golden_file": len(asked),
        "drawn": len(drawn),
        "said_by_tests": sum(bool(name) for name in tested.values()),
    }
    _say(f"{'the golden file is not of today' if unreviewed else 'each is noticed'}: {counts}")
    for mutant in drawn:
        if not tested[mutant]:
            _say(f"  by the golden file alone: {mutant.kind} {mutant.name}")
    if options.publish and not unreviewed:
        published = {
            "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
            "templates": templates_digest(ROOT),
            **counts,
        }
        _PUBLISHED.write_text(json.dumps(published, indent=2) + "\n", encoding="utf-8")
    return int(unreviewed)


def _judged(
    drawn: Sequence[Mutant], judge: Callable[[Sequence[Mutant], Callable[[Mutant, str], None]], None]
) -> dict[Mutant, str]:
    """Return who noticed each mutant, nothing where nobody did; the journal knows some."""
    known = _known(judge.__name__)
    noticed = {mutant: known[_key(mutant)] for mutant in drawn if _key(mutant) in known}
    left = [mutant for mutant in drawn if mutant not in noticed]
    _JOURNAL.parent.mkdir(exist_ok=True)
    with _JOURNAL.open("a", encoding="utf-8") as journal:

        def report(mutant: Mutant, name: str) -> None:
            noticed[mutant] = name
            print(json.dumps([digest(), judge.__name__, _key(mutant), name]), file=journal, flush=True)

        if left:
            judge(left, report)
    if missing := [mutant for mutant in drawn if mutant not in noticed]:
        raise SystemExit(f"{len(missing)} were not tried")
    return noticed


def _quickly(left: Sequence[Mutant], report: Callable[[Mutant, str], None]) -> None:
    quick = checks.Quick([*templates().values()])
    for mutant in left:
        report(mutant, quick.notices(mutant))


def _by_tests(left: Sequence[Mutant], report: Callable[[Mutant, str], None]) -> None:
    pytest.main([*_PYTEST, *TESTS], plugins=[Judging(left, report)])


def _known(judge: str) -> dict[str, str]:
    if not _JOURNAL.exists():
        return {}
    lines: Iterable[Any] = map(json.loads, _JOURNAL.read_text(encoding="utf-8").splitlines())
    return {key: name for of, by, key, name in lines if (of, by) == (digest(), judge)}


def _key(mutant: Mutant) -> str:
    return f"{mutant.place} {mutant.before[:80]} {mutant.after[:80]}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
