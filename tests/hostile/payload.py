"""What a hostile branch's buildspec runs, as the build's own role: every attempt, and what came of it.

It needs boto3 and the files of the branch alone. Each outcome is a line of the build's log, which its
owner can still read when everything else was tampered with.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.hostile.attempts import ATTEMPTS

if TYPE_CHECKING:
    from tests.hostile.attempt import Attempt

TARGETS: Final = Path(__file__).with_name("targets.json")
MARK: Final = "HOSTILE "
EVIL: Final = b"evil-7f3c"
"""What it leaves in everything that it poisons."""
_KEPT: Final = (
    ("checked", "", "tests.xml"),
    ("proven", "", "money-path.xml"),
    ("proven", "shortened", "money-path.xml"),
)
"""Records in a cache: their folder, the part that they are of, and the report beside them."""
_REFUSALS: Final = ("AccessDenied", "Unauthorized", "NotAuthorized", "AuthorizationError", "Forbidden")
_PATIENCE: Final = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})


def main(build: str) -> None:
    """Try everything and print a line for each attempt."""
    names = json.loads(TARGETS.read_text(encoding="utf-8"))
    for attempt in ATTEMPTS:
        outcome, answer = _try(attempt, names)
        line = {"build": build, "name": attempt.name, "outcome": outcome, "answer": answer}
        sys.stdout.write(f"{MARK}{json.dumps(line)}\n")
    sys.stdout.flush()
    _poison(names)
    _tamper()


def _try(attempt: Attempt, names: dict[str, str]) -> tuple[str, str]:
    """Make an attempt; the outcome is `refused`, `done` or `unclear`, with what AWS answered."""
    try:
        getattr(_client(attempt.client), attempt.method)(**_filled_in(attempt.arguments, names))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        refused = any(word in code for word in _REFUSALS)
        return "refused" if refused else "unclear", f"{code}: {error.response['Error'].get('Message', '')}"
    except BotoCoreError as error:
        return "unclear", f"{type(error).__name__}: {error}"
    return "done", ""


@cache
def _client(name: str) -> Any:
    client: Any = boto3.client(name, config=_PATIENCE)  # type: ignore[call-overload]  # any of them
    return client


def _filled_in(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, meaning in names.items():
            value = value.replace(f"{{{name}}}", meaning)
        return value
    if isinstance(value, dict):
        return {key: _filled_in(inside, names) for key, inside in value.items()}
    return [_filled_in(inside, names) for inside in value] if isinstance(value, list) else value


def _poison(names: dict[str, str]) -> None:
    """Write records of checks and proofs of the release's source, and code, into each cache within reach."""
    record = {
        "source": names["source_digest"],
        "at": "2026-01-01T00:00:00+00:00",
        "build": EVIL.decode(),
        "seconds": 1.0,
    }
    for kept in {Path(".cache"), Path(os.environ.get("PAYMENTS_CACHE", ".cache"))}:
        for zone in ("release", "branch", "workstation", ""):
            for kind, part, report in _KEPT:
                folder = kept / kind / zone / f"{names['source_digest']}{f'-{part}' if part else ''}"
                folder.mkdir(parents=True, exist_ok=True)
                made_up = {**record, "zone": zone, "part": part}
                (folder / f"{kind}.json").write_text(json.dumps(made_up), encoding="utf-8")
                (folder / report).write_text("<testsuites/>", encoding="utf-8")
        for file in (kept / "packages").rglob("*.py"):
            with file.open("a", encoding="utf-8") as module:
                module.write(f"\n# {EVIL.decode()}\n")


def _tamper() -> None:
    """Replace what later commands run: hooks, the Makefile, `payments`, and what is first in PATH."""
    for folder in (Path(".git/hooks"), Path.home() / "bin", Path(".venv/evil")):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("pre-commit", "post-checkout", "uv", "git"):
            _replace(folder / name, f"#!/bin/sh\necho {EVIL.decode()}\n")
    shutil.rmtree(Path(".venv/evil"))
    for tool in (Path("Makefile"), Path(".venv/bin/payments")):  # they still do what this build needs of them
        _replace(tool, f"{tool.read_text(encoding='utf-8')}\n# {EVIL.decode()}\n")


def _replace(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # it may be a link into what other builds are made from
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


if __name__ == "__main__":
    main(sys.argv[1])
