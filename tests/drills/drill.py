"""One run of a drill, step by step: break, hear the alarms, follow the pages, be well again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from tests.drills import pages
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drills.alarm_listener import Ears
    from tests.drills.record import Run
    from tests.drills.system import System

_RING_SECONDS: Final = 180.0
_PARK_SECONDS: Final = 180.0
_BLOCK_SECONDS: Final = 300
SWEEP_AT_ONCE: Final = -1
"""The last block of what SweepFailing's runbook has for a fix."""
_AWS_CLI: Final = ROOT / ".cache" / "awscli" / "bin"
_AWS_COMMAND: Final = f"""#!/bin/sh
# Version 1 of the command does not ask AWS_ENDPOINT_URL where SQS is; version 2 does.
[ "$1" != sqs ] || set -- "$@" --endpoint-url "$AWS_ENDPOINT_URL"
exec "{_AWS_CLI / "aws"}" "$@"
"""


@dataclass(slots=True)
class Scene:
    """What a drill does; each step is told as it happens."""

    system: System
    run: Run
    home: Path
    ears: Ears
    told: Callable[[str], None]
    checkout: Path | None = None
    _mended: float = field(default=0.0)

    def __post_init__(self) -> None:
        """Put the `aws` command there."""
        command = self.home / "aws"
        command.write_text(_AWS_COMMAND, encoding="utf-8")
        command.chmod(0o755)

    def breaks(self, what: str, act: Callable[[], object]) -> None:
        """Break something, and listen from then on."""
        self.told(f"broken: {what}")
        self.run.broke.append(what)
        self.ears.listen()
        act()

    def rings(self, *alarms: str) -> None:
        """Wait until these alarms, and the one over all of them, have rung since something was broken."""
        wanted, began, heard = {*alarms, "Health"}, time.monotonic(), self.ears.heard
        wait_until(
            lambda: wanted <= heard,
            lambda: f"{wanted} ring; {heard} rang",
            seconds=_RING_SECONDS,
            every=0.5,
        )
        self.run.alarms = list(dict.fromkeys([*self.run.alarms, *alarms]))
        self.told(f"rings: {', '.join(alarms)}, after {time.monotonic() - began:.0f} s")

    def rings_nothing(self) -> None:
        """See that no alarm rings, where none is expected to."""
        assert not self.ears.heard, self.ears.heard
        self.told("rings: nothing, as expected")

    def outside(self, what: str, act: Callable[[], object]) -> None:
        """Do what somebody else has to do, as the database's owner."""
        self.told(f"mended by others: {what}")
        act()

    def follow(self, page: str, section: str, *, only: int | None = None, **variables: str) -> str:
        """Paste the blocks of a page's section, or one of them, and return what they printed.

        The variables are those that the page says to fill in.
        """
        found = [block for block in pages.blocks(page) if block.section == section]
        assert found, f"{page} has no commands in {section!r}"
        chosen = found if only is None else [found[only]]
        said = [self._paste(block, variables) for block in chosen]
        self._mended = time.monotonic()
        return "\n".join(said)

    def redrive_parked(self) -> None:
        """Let executions end, sweep what they left, and go the way back of each parked order, by the book."""
        system = self.system
        wait_until(lambda: not system.running(), system.running, seconds=_PARK_SECONDS, every=0.5)
        if system.undoing():
            self.follow("runbooks/sweep-failing.md", "How to fix it", only=SWEEP_AT_ONCE)
            wait_until(lambda: not system.undoing(), system.undoing, seconds=_PARK_SECONDS, every=0.5)
        for order in system.parked():
            self.follow("runbooks/orders-parked.md", "How to fix it", ORDER=order)

    def well(self) -> None:
        """See that everything is as it should be."""
        self.told("waiting for everything to be well")
        self.run.held = self.system.holds()
        self.run.seconds = time.monotonic() - self._mended

    def _paste(self, block: pages.Block, variables: dict[str, str]) -> str:
        self.told(f"runs: {block.page}, {block.section}")
        [shell] = pages.blocks(pages.SHELL)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{shell.text}\n{block.text}"],  # noqa: S607 - the reader's own bash
            cwd=ROOT,
            env=self._environment() | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_BLOCK_SECONDS,
        )
        assert done.returncode == 0, (
            f"{block.text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        self.run.ran += [shell, block]
        return done.stdout

    def _environment(self) -> dict[str, str]:
        aws = self.system.stack.aws
        assert aws.endpoint
        assert aws.mongodb_uri
        return {
            "PATH": os.pathsep.join([str(self.home), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ACCESS_KEY_ID": aws.environment.account,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": aws.environment.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "MONGODB_URI": aws.mongodb_uri,
            "STRIPE_API_BASE": aws.card_gateway or "",
            "PAYMENTS_ENVIRONMENT": aws.environment.name,
            "PAYMENTS_STACK": self.system.stack.name,
            "PYTHONPATH": str(self.checkout or ""),
        } | {
            name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_CERT_"))
        }
