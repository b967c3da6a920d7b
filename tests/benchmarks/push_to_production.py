"""From a push to production, rehearsed by this checkout and by a commit before, one after the other in pairs.

    python -m tests.benchmarks.push_to_production --rounds 5

The commit before is the last one whose branches and releases shared a zone. Each rehearsal builds and checks
everything anew, on its branch and as a release. A quiet machine is needed for figures that mean something.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pipelines.core import git
from pipelines.core.repository import ROOT

BEFORE: Final = "73ede1f"
LONGEST: Final = 1.15
"""How many times as long as before it may take."""
_TOOK: Final = re.compile(r"From the push to\s+production (\d+) s")


def rehearse(tree: Path) -> int:
    """Rehearse a checkout, and return the seconds from the push to production, as it says them.

    Raises:
        RuntimeError: The rehearsal failed.
    """
    done = subprocess.run(
        [str(tree / ".venv/bin/payments"), "rehearse", "--fresh"],
        cwd=tree,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = _TOOK.search(done.stdout + done.stderr)
    if done.returncode or took is None:
        raise RuntimeError(f"{tree}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return int(took[1])


def main() -> None:
    """Measure, print each pair, and fail when it takes too long."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", default=BEFORE, help="the commit to compare with (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="before-") as folder:
        tree = Path(folder) / "checkout"
        git.run(ROOT, "worktree", "add", "--quiet", "--detach", str(tree), asked.before)
        try:
            install = ["make", "--silent", "install", ".cache/card-gateway/installed"]
            subprocess.run(install, cwd=tree, check=True)
            ratios = _pairs(tree, asked.rounds)
        finally:
            git.run(ROOT, "worktree", "remove", "--force", str(tree))
    ratio = statistics.median(ratios)
    sys.stdout.write(f"{ratio:.2f} times as long as at {asked.before}; at most {LONGEST}\n")
    sys.exit(ratio > LONGEST)


def _pairs(before: Path, rounds: int) -> list[float]:
    for tree in (before, ROOT):  # caches are filled
        rehearse(tree)
    ratios = []
    for number in range(rounds):
        trees = (before, ROOT) if number % 2 == 0 else (ROOT, before)
        took = {tree: rehearse(tree) for tree in trees}
        ratios.append(took[ROOT] / took[before])
        sys.stdout.write(f"before {took[before]} s, now {took[ROOT]} s: {ratios[-1]:.2f}\n")
        sys.stdout.flush()
    return ratios


if __name__ == "__main__":
    main()
