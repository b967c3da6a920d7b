"""The browser of the site's checks: found, or installed where that is allowed; `make test` asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

MISSING = "there is no Chromium; the end of this run says how to get one"
GET_IT = (
    "The docs site was NOT checked in a browser: there is no Chromium on PATH. Get one (Debian, Ubuntu:"
    " apt-get install chromium), or name one with CHROMIUM=/path/to/chromium, and run make test again."
)


def find() -> str | None:
    """The browser's path: what CHROMIUM names, or what is on PATH under one of its names."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's, for root on a machine with apt-get; elsewhere it is the owner's business."""
    apt = shutil.which("apt-get")
    if find() or "CHROMIUM" in os.environ or apt is None or os.geteuid() != 0:
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


if __name__ == "__main__":
    install()
