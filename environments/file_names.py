"""The names of the environment files, for whoever needs no more: a help text, a shell that completes a word.

It imports neither YAML nor pydantic, which take longer to load than a shell may wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER = Path(__file__).parent
TOOLS: Final = "tools"
"""The tools account's file (`environments/tools.py`); it is no environment."""
PROMOTED: Final = ("branch", "staging", "prod")
"""The environments that pipelines deploy to."""


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the environments that have a file, sorted.

    Args:
        folder: Where the files are; by default this package's own.
    """
    return sorted(path.stem for path in (folder or FOLDER).glob("*.yml") if path.stem != TOOLS)
