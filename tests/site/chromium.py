"""The browser of the site's checks: found, or installed where that is allowed, as `make test` does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

MISSING = "there is no Chromium; the end of this run says how to get one"
GET_IT = (
    "The docs site was NOT checked in a browser: there is no Chromium on PATH. Get one (Debian, Ubuntu:"
    " apt-get install chromium), or name one with CHROMIUM=/path/to/chromium, and run make test again."
)


UNDER_WAY: Final = Path(__file__).parents[2] / ".cache" / "chromium.lock"
"""Locked as long as the browser is being installed."""


def find() -> str | None:
    """The browser's path, once an installation that is under way has ended; None where there is none."""
    with contextlib.suppress(FileNotFoundError), UNDER_WAY.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
    return _find()


def _find() -> str | None:
    """What CHROMIUM names, or what is on PATH under one of its names."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's, for root on a machine with apt-get; elsewhere it is the owner's business."""
    apt = shutil.which("apt-get")
    if _find() or "CHROMIUM" in os.environ or apt is None or os.geteuid() != 0:
        return
    quietly = {
        "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        "capture_output": True,
        "text": True,
    }
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        done = subprocess.run([apt, "--quiet", *words], check=False, **quietly)  # type: ignore[call-overload]
        if done.returncode != 0:
            sys.stderr.write(f"apt-get {words[0]}: {done.stderr.strip()[-500:]}\n")


def lock() -> IO[str]:
    """Have whoever looks for the browser wait until the file is closed, by every process that has it."""
    UNDER_WAY.parent.mkdir(exist_ok=True)
    locked = UNDER_WAY.open("w")
    fcntl.flock(locked, fcntl.LOCK_EX)
    return locked


def begin() -> None:
    """Install it in a process that outlives this one: tests that need no browser run meanwhile."""
    with lock():
        if os.fork() == 0:
            install()


if __name__ == "__main__":
    begin()
