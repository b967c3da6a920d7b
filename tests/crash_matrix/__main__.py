"""`make crash-matrix`: every single fault, pairs of faults, the mutants; a report and an exit code."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from embedded_aws import mongod
from pipelines.core.repository import ROOT
from tests.crash_matrix import plan, report
from tests.crash_matrix.bench import WORKERS, Benches, Task, open_benches
from tests.crash_matrix.cells import Result
from tests.crash_matrix.hunting import MUTANTS, hunt_by_name
from tests.crash_matrix.journal import Entry, Journal

REPORTS = Path("reports")
T = TypeVar("T")


@click.command()
@click.option("--sample", default="all", show_default=True, help="How many pairs to draw.")
@click.option("--seed", type=int, default=1, show_default=True, help="Draws the same pairs again.")
@click.option("--workers", type=click.IntRange(1), default=WORKERS, show_default=True)
@click.option("--every-mutant", is_flag=True, help="Also hunt the mutants that are known to survive.")
@click.option("--publish", is_flag=True, help="Write the figures that the docs show.")
def main(sample: str, seed: int, workers: int, *, every_mutant: bool, publish: bool) -> None:
    """Prove the money path by fault injection; a run that was stopped goes on where it was."""
    if sample != "all" and not sample.isdecimal():
        raise click.BadParameter("must be a number, or all", param_hint="--sample")
    count = None if sample == "all" else int(sample)
    data = Path(tempfile.mkdtemp(prefix="crash-matrix-"))
    server = mongod.start(data)
    try:
        with open_benches(server.uri, workers) as benches, _progress() as progress:
            found = _run(benches, progress, count, seed, every_mutant=every_mutant)
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "crash-matrix.json").write_text(json.dumps(found, indent=2) + "\n")
    if publish:
        report.publish(found, ROOT)
    sys.exit(_say(found))


def _run(
    benches: Benches, progress: Progress, sample: int | None, seed: int, *, every_mutant: bool
) -> dict[str, Any]:
    began = time.monotonic()
    firsts = _singles(benches, progress)
    singles_took = time.monotonic() - began
    pairs, pairs_run, pairs_took = _pairs(benches, progress, firsts, sample, seed)
    names = [name for name, mutant in MUTANTS.items() if every_mutant or not mutant.survives]
    tracked = _tracked(progress, "mutants", benches.each(hunt_by_name, names), len(names))
    hunts = dict(zip(names, tracked, strict=True))
    entries = [
        Entry(t.scenario, [[f.site, f.kind, str(f)] for f in t.faults], r.violations) for t, r in firsts
    ]
    return {
        "sample": sample,
        "seed": seed,
        "singles": {**report.figures(entries), "cells_per_second": round(len(firsts) / singles_took, 1)},
        "pairs": {
            **report.figures(pairs.entries()),
            "cells_per_second": round(pairs_run / pairs_took, 1) if pairs_run else None,
        },
        "mutants": report.of_mutants(hunts),
    }


def _singles(benches: Benches, progress: Progress) -> list[tuple[Task, Result]]:
    recordings = plan.recordings()
    recorded = list(zip(recordings, benches.run(recordings), strict=True))
    tasks = [task for recording, found in recorded for task in plan.one_more_fault(recording, found)]
    return list(zip(tasks, _tracked(progress, "single faults", benches.run(tasks), len(tasks)), strict=True))


def _pairs(
    benches: Benches, progress: Progress, firsts: list[tuple[Task, Result]], sample: int | None, seed: int
) -> tuple[Journal, int, float]:
    """Run the pairs that are not in the journal yet; return it, how many were run, and the seconds."""
    journal = Journal(REPORTS / "crash-matrix.jsonl", {"sample": sample, "seed": seed})
    done, began = journal.done, time.monotonic()
    if sample is None:
        tasks, total = plan.pairs(firsts), sum(len(plan.one_more_fault(*first)) for first in firsts)
    else:
        tasks, total = plan.sampled(firsts, sample, seed), sample
    for _ in range(done):
        next(tasks)
    ran = 0
    for task, result in _tracked(progress, "pairs of faults", benches.run_lazily(tasks), total, done):
        journal.write(task, result)
        ran += 1
    return journal, ran, time.monotonic() - began


def _progress() -> Progress:
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _tracked(progress: Progress, what: str, items: Iterable[T], total: int, done: int = 0) -> Iterator[T]:
    bar = progress.add_task(what, total=total, completed=done)
    for item in items:
        yield item
        progress.advance(bar)


def _say(found: dict[str, Any]) -> int:
    """Print the figures; return 1 if a guarantee was broken or a mutant got away, else 0."""
    console = Console(highlight=False)
    for what in ("singles", "pairs"):
        part = found[what]
        rate = f", {part['cells_per_second']} a second" if part["cells_per_second"] else ""
        console.print(f"{what}: {part['cells']} cells, {part['violations']} with violations{rate}")
        for cell in part["violating"]:
            console.print(
                "  ", cell["scenario"], *cell["faults"], *cell["violations"], sep="\n     ", markup=False
            )
    escaped = [m["missing"] for m in found["mutants"] if not m["caught_by"] and not m["survives"]]
    caught = sum(bool(m["caught_by"]) for m in found["mutants"])
    console.print(f"mutants: {caught} of {len(found['mutants'])} caught")
    for name in escaped:
        console.print("   not caught:", name, markup=False)
    return int(bool(found["singles"]["violations"] or found["pairs"]["violations"] or escaped))


if __name__ == "__main__":
    main()
