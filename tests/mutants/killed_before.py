"""Which mutants tests killed last, so that tests that were added can be tried on all others alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.mutants.rooms import Mutant, Room

_KILLED: Final = ROOT / ".cache" / "mutants"


def not_killed_before(room: Room, drawn: list[Mutant], seed: int) -> list[Mutant]:
    """Return those of a sample that nothing killed when it was tried last, or that were not in it.

    Raises:
        SystemExit: It was never tried with the modules as they are.
    """
    try:
        last = json.loads(_file(room, seed).read_text(encoding="utf-8"))
    except FileNotFoundError:
        last = {}
    if last.get("source") != room.digest():
        raise SystemExit(f"{room.name}: its modules as they are were not tried yet; leave --again out")
    return [mutant for mutant in drawn if list(mutant.key()) not in last["killed"]]


def keep_killed(room: Room, killed: Iterable[Mutant], seed: int) -> None:
    """Keep which mutants of a room's sample were killed."""
    _KILLED.mkdir(parents=True, exist_ok=True)
    kept = {"source": room.digest(), "killed": [mutant.key() for mutant in killed]}
    _file(room, seed).write_text(json.dumps(kept), encoding="utf-8")


def _file(room: Room, seed: int) -> Path:
    return _KILLED / f"{room.name}-{seed}.json"
