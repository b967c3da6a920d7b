"""An embedded AWS whose alarms count short minutes, with a quota that a loop can use up on this machine."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from embedded_aws import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARM_MINUTE_SECONDS: Final = 6.0
"""How long an alarm's minute takes; a drill whose orders fail slowly needs longer ones."""
_TRANSITIONS_PER_SECOND: Final = 150


@contextmanager
def running(alarm_minute_seconds: float) -> Iterator[instance.Instance]:
    """Run one until the block ends."""
    root = Path(tempfile.mkdtemp(prefix="drill-aws-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALARM_PERIOD_SCALE", str(alarm_minute_seconds / 60))
        patch.setenv("METRIC_MINUTES_LATE", "2")
        patch.setenv("SFN_TRANSITIONS_PER_SECOND", str(_TRANSITIONS_PER_SECOND))
        started = instance.start(root, attached=True)
    try:
        yield started
    finally:
        instance.stop(root)
        shutil.rmtree(root, ignore_errors=True)
