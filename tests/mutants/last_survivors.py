"""Which mutants survived last, so that tests that were added can be tried on these alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mutants.rooms import Mutant, Room

_SURVIVORS: Final = ROOT / ".cache" / "mutants"


def survivors_before(room: Room, drawn: list[Mutant], seed: int) -> list[Mutant]:
    """Return those of a sample that survived when all of it was tried last.

    Raises:
        SystemExit: It was never tried with the modules as they are.
    """
    try:
        last = json.loads(_survivors_file(room, seed).read_text(encoding="utf-8"))
    except FileNotFoundError:
        last = {}
    if last.get("source") != room.digest():
        raise SystemExit(f"{room.name}: its modules as they are were not tried yet; leave --again out")
    return [mutant for mutant in drawn if list(mutant.key()) in last["survivors"]]


def keep_survivors(room: Room, survivors: list[Mutant], seed: int) -> None:
    """Keep which mutants of a room's sample survived."""
    _SURVIVORS.mkdir(parents=True, exist_ok=True)
    kept = {"source": room.digest(), "survivors": [mutant.key() for mutant in survivors]}
    _survivors_file(room, seed).write_text(json.dumps(kept), encoding="utf-8")


def _survivors_file(room: Room, seed: int) -> Path:
    return _SURVIVORS / f"{room.name}-{seed}.json"
