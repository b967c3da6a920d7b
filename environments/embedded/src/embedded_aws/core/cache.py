"""The folder of what outlives an instance: interpreters, and packages that were unpacked once."""

import os
from pathlib import Path

VARIABLE = "EMBEDDED_AWS_CACHE"


def folder() -> Path:
    """Return the folder that the variable names, or the user's own cache folder for this package."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embedded-aws"
