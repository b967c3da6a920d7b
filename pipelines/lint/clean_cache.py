"""Templates that were linted before and found clean, so that unchanged ones need not be linted again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.core.repository import CACHE, ROOT
from templates.capabilities.alarms import RUNBOOKS

_LINTER = (ROOT / "uv.lock", *sorted((ROOT / "pipelines" / "lint").rglob("*.py")))
"""What judges: the tools' versions, how we call them, and our own rules."""


def mark(templates: Mapping[str, Any], region: str, folder: Path = CACHE / "lint") -> Path:
    """Return the file that notes that these very templates were found clean by this very linter."""
    runbooks = sorted(path.name for path in (ROOT / RUNBOOKS).glob("*.md"))  # a rule asks whether they exist
    judged = hashlib.sha256(json.dumps([templates, region, runbooks], sort_keys=True).encode())
    for path in _LINTER:
        judged.update(path.read_bytes())
    return folder / judged.hexdigest()
