"""The mutants that no test can notice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).with_name("equivalent.yml")


def equivalents() -> dict[tuple[str, str, str, str], str]:
    """Return the reason why each is equivalent, by the mutant's key."""
    return {
        (entry["file"], entry["statement"], entry["before"], entry["after"]): entry["why"]
        for entry in yaml.safe_load(FILE.read_text(encoding="utf-8"))
    }
