"""Change a room's modules a little, sixty times over, and list the changes that its tests do not notice.

python -m tests.mutants [ROOM ...] [--count 60] [--seed 1] [--publish]
python -m tests.mutants ROOM --again [--tests PATH ...]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from coverage import CoverageData

from pipelines.core.repository import ROOT
from tests.mutants import worker
from tests.mutants.equivalents import equivalents
from tests.mutants.killed_before import keep_killed, not_killed_before
from tests.mutants.rooms import ROOMS, mutants, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.rooms import Mutant, Room

_LEAST_KILLED: Final = 0.9
_PUBLISHED: Final = ROOT / "docs" / "data" / "mutants.json"
_BASELINE_SECONDS: Final = 600.0
_SHARED: Final = (".venv", ".cache")
"""What a copy has of the checkout's; either may be a link there, which git then calls a file."""
_SOURCES: Final = (".", "lambdas", "lambdas/payment_data/src", "environments/embedded/src")


class Bench:
    """A copy of the tree in which mutants of one room are tried, by a process of its own."""

    def __init__(self, room: Room, folder: Path) -> None:
        """Copy the tree and start the process."""
        python = str(ROOT / room.interpreter)
        copy_tree(folder, python)
        search = os.pathsep.join(str(folder / source) for source in _SOURCES)
        self._folder, self._apart = folder, room.apart
        self._process = subprocess.Popen(
            [python, worker.__file__, str(folder), ",".join(room.tests), ",".join(room.preloaded)],
            cwd=folder / room.folder,
            env=os.environ | {"PYTHONPATH": search},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def baseline(self) -> float:
        """Run the tests against the room as it is, and return how many seconds they take.

        Raises:
            SystemExit: They fail as it is.
        """
        answer = self._ask({"seconds": _BASELINE_SECONDS, "apart": self._apart})
        if answer["status"] != worker.SURVIVED:
            raise SystemExit(f"the tests fail without any mutant: {answer['status']}")
        return float(answer["seconds"])

    def status(self, mutant: Mutant, seconds: float, first: list[str], *, quick: bool) -> str:
        """Try a mutant with the tests of `first`, then all; return `killed`, `survived` or `timed out`.

        With `quick`, what no measured process of any test passes has survived.
        """
        if quick and self._apart and not first:
            return worker.SURVIVED
        source = (self._folder / mutant.file).read_bytes()
        text = mutant.mutation.applied(source).decode()
        task = {"file": mutant.file, "text": text, "seconds": seconds, "first": first, "quick": quick}
        return str(self._ask(task)["status"])

    def passing(self, chosen: list[Mutant]) -> dict[Mutant, list[str]]:
        """Return the tests, or files of them, that pass each mutant's statement, quickest first."""
        passed = CoverageData(str(worker.beside(self._folder, "coverage")))
        passed.read()
        seconds = json.loads(worker.beside(self._folder, "durations").read_text(encoding="utf-8"))
        first = {}
        for mutant in chosen:
            by_line = passed.contexts_by_lineno(str((self._folder / mutant.file).resolve()))
            lines = range(mutant.mutation.begins, mutant.mutation.line + 1)
            tests = {test.partition("|")[0] for line in lines for test in by_line.get(line, []) if test}
            first[mutant] = sorted(tests, key=lambda test: (seconds.get(test, 0.0), test))
        return first

    def tried(self, tests: Sequence[str], file: str, text: str, seconds: float) -> str:
        """Run other tests than the room's, with another text of a file, and return the status."""
        return str(
            self._ask({"tests": list(tests), "file": file, "text": text, "seconds": seconds})["status"]
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(task), file=self._process.stdin, flush=True)
        return dict(json.loads(self._process.stdout.readline()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample of each room; fail when one kills fewer than nine in ten."""
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"one of {', '.join(ROOMS)}; else all")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="how many try mutants at the same time")
    parser.add_argument("--quick", action="store_true", help="only with tests that pass the changed line")
    parser.add_argument("--publish", action="store_true", help="keep the results in docs/data/mutants.json")
    parser.add_argument(
        "--again", action="store_true", help="only those that were not killed last, now that tests were added"
    )
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="with these tests of the room alone")
    options = parser.parse_args(arguments)
    shares = [_try_room(ROOMS[name], options) for name in options.rooms or ROOMS]
    return int(min(shares) < _LEAST_KILLED)


def _try_room(room: Room, options: argparse.Namespace) -> float:
    candidates, source = list(mutants(room)), room.digest()
    drawn = sample(candidates, options.count, options.seed, equivalents())
    chosen = not_killed_before(room, drawn, options.seed) if options.again else drawn
    if options.tests:
        room = dataclasses.replace(room, tests=tuple(options.tests))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        survivors = _survivors(room, chosen, Path(folder), options) if chosen else []
    keep_killed(room, [mutant for mutant in drawn if mutant not in survivors], options.seed)
    killed = len(drawn) - len(survivors)
    if options.publish:
        _publish(room, {"tried": len(drawn), "killed": killed, "seed": options.seed, "source": source})
    whence = f"seed {options.seed}, {len(candidates)} mutants in all, modules {source}"
    _say(f"{room.name}: {killed} of {len(drawn)} killed ({whence})")
    for mutant in survivors:
        change = mutant.mutation
        _say(f"  {mutant.file}:{change.line}: {change.operator}: {change.statement}")
        _say(f"      {_short(change.before)} -> {_short(change.after) or 'nothing'}")
    return killed / len(drawn) if drawn else 1.0


def _publish(room: Room, result: dict[str, Any]) -> None:
    """Keep a room's result with its day."""
    published = json.loads(_PUBLISHED.read_text(encoding="utf-8")) if _PUBLISHED.is_file() else {}
    published[room.name] = result | {"date": f"{datetime.now(UTC):%Y-%m-%d}"}
    _PUBLISHED.write_text(json.dumps(dict(sorted(published.items())), indent=1) + "\n", encoding="utf-8")


def _survivors(room: Room, chosen: list[Mutant], folder: Path, options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants that no test noticed; one that never ends was noticed."""
    idle: SimpleQueue[Bench] = SimpleQueue()
    benches = [Bench(room, folder / str(number)) for number in range(options.processes)]
    with ThreadPoolExecutor(options.processes) as pool:
        seconds = benches[0].baseline()
        first = benches[0].passing(chosen)
        for bench in benches:
            idle.put(bench)

        def survives(mutant: Mutant) -> bool:
            bench = idle.get()
            try:
                status = bench.status(mutant, 10 + 4 * seconds, first[mutant], quick=options.quick)
            finally:
                idle.put(bench)
            print(f"  {status}: {mutant.file}:{mutant.mutation.line}", file=sys.stderr, flush=True)  # noqa: T201
            return status == worker.SURVIVED

        unnoticed = pool.map(survives, chosen)
        survivors = [mutant for mutant, alive in zip(chosen, unnoticed, strict=True) if alive]
    for bench in benches:
        bench.close()
    return survivors


def copy_tree(folder: Path, python: str = sys.executable, linked: Sequence[str] = _SHARED) -> None:
    """Copy what git knows of the working tree, and compile it so that a changed module is seen as changed.

    Args:
        folder: Where to; it must not exist yet.
        python: The interpreter that imports the modules.
        linked: What of the checkout the copy uses as it is.
    """
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, folder], check=True)  # noqa: S607 - git is where PATH says
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git is where PATH says
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, set(listed.split("\0")) - set(_SHARED)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    for name in linked:
        (folder / name).symlink_to((ROOT / name).resolve())
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
    subprocess.run(
        [python, *compiled, *worker.SOURCES],
        cwd=folder,
        check=True,
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:90]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
