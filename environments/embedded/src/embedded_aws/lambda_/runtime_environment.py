"""The interpreter that functions run in: an environment with AWS's runtime client and SDK, nothing else.

An instance finds it in its cache folder, and makes it there for the first function that is called.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from embedded_aws.core import cache

_PACKAGES = ("awslambdaric==4.2.2", "boto3")


class RuntimeMissing(RuntimeError):  # noqa: N818 - it reads as what happened
    """The interpreter for functions could not be made; the message says why."""


def interpreter() -> Path:
    """Return the interpreter, made if it is not there.

    Raises:
        RuntimeMissing: it could not be made.
    """
    python = cache.folder() / "lambda-runtime" / "bin" / "python"
    if os.access(python, os.X_OK):
        return python
    cache.folder().mkdir(parents=True, exist_ok=True)
    with (cache.folder() / "lambda-runtime.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another instance may be making it
        if not os.access(python, os.X_OK):
            _make(python.parents[1])
    return python


def _make(folder: Path) -> None:
    unfinished = folder.with_name(f"{folder.name}.new")
    _run(sys.executable, "-m", "venv", "--clear", str(unfinished))
    _run(str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet", *_PACKAGES)
    unfinished.rename(folder)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line
    if done.returncode:
        raise RuntimeMissing(f"no interpreter for functions: {' '.join(command[:4])}: {done.stderr.strip()}")
