"""Drop or change every part of every template in turn, and list what nobody notices and nobody explained.

python -m tests.template_mutants [--sample N] [--seed S] [--stack payments] [--publish]

It goes on where it was stopped, as long as templates, tests and linters are what they were.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import random
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.core.repository import ROOT
from tests.template_mutants import without_effect
from tests.template_mutants.mutations import Mutant, digest, mutants
from tests.template_mutants.session import FIGURES, TESTS, Judging

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PYTEST: Final = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
_JOURNAL: Final = ROOT / "reports" / "template-mutants.jsonl"
_PUBLISHED: Final = ROOT / "docs" / "data" / "template-mutants.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants; fail while one is neither noticed nor explained."""
    parser = argparse.ArgumentParser(prog="tests.template_mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many, drawn; all when it is 0")
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
    drawn = random.Random(options.seed).sample(every, min(options.sample or len(every), len(every)))  # noqa: S311 - no secret
    noticed = _judge(drawn)
    open_ones = [mutant for mutant in drawn if not noticed[mutant] and not without_effect.reason(mutant)]
    counts = _counts(noticed)
    _say(
        f"{len(every)} mutants; {len(drawn)} tried: {counts}; neither noticed nor explained: {len(open_ones)}"
    )
    for mutant in open_ones:
        _say(f"  {mutant.kind} {mutant.name}")
    if options.publish:
        told: dict[str, Any] = {
            "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
            "templates": digest(),
        }
        told |= {"mutants": len(every), "tried": len(drawn), "open": len(open_ones), **counts}
        _PUBLISHED.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(bool(open_ones))


def _judge(drawn: Sequence[Mutant]) -> dict[Mutant, str]:
    """Return who noticed each mutant, of which the journal knows some."""
    known = _known()
    noticed = {mutant: known[_key(mutant)] for mutant in drawn if _key(mutant) in known}
    left = [mutant for mutant in drawn if mutant not in noticed]
    _JOURNAL.parent.mkdir(exist_ok=True)
    with _JOURNAL.open("a", encoding="utf-8") as journal:

        def report(mutant: Mutant, name: str) -> None:
            noticed[mutant] = name
            print(json.dumps([digest(), _key(mutant), name]), file=journal, flush=True)
            if not name and not without_effect.reason(mutant):
                _say(f"  {len(noticed)} of {len(drawn)}: {mutant.kind} {mutant.name}")

        if left:
            pytest.main([*_PYTEST, *TESTS], plugins=[Judging(left, report)])
    if missing := [mutant for mutant in drawn if mutant not in noticed]:
        raise SystemExit(f"{len(missing)} were not tried")
    return noticed


def _counts(noticed: Mapping[Mutant, str]) -> dict[str, int]:
    return dict(Counter(_judge_of(mutant, name) for mutant, name in noticed.items()))


def _judge_of(mutant: Mutant, name: str) -> str:
    if not name:
        return "explained" if without_effect.reason(mutant) else "unnoticed"
    if FIGURES in name:
        return "golden_file"
    return (
        "tests"
        if "::" in name
        else {"references": "cloudformation", "schemas": "cloudformation"}.get(name, "linters")
    )


def _known() -> dict[str, str]:
    if not _JOURNAL.exists():
        return {}
    lines: Iterable[Any] = map(json.loads, _JOURNAL.read_text(encoding="utf-8").splitlines())
    return {key: name for of, key, name in lines if of == digest() and name}


def _key(mutant: Mutant) -> str:
    return f"{mutant.place} {mutant.before[:80]} {mutant.after[:80]}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
