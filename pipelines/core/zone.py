"""The zone of trust that a build runs in: whose code it is, and so what it may read."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Final

VARIABLE: Final = "PAYMENTS_ZONE"
"""The environment variable that a CodeBuild project hands its zone over in."""
WORKSTATION: Final = "workstation"
"""Where no pipeline's build runs."""


class Trust(StrEnum):
    """Whose code a zone's builds run."""

    RELEASE = "release"
    """What was merged."""
    BRANCH = "branch"
    """What anybody pushed."""


def current() -> str:
    """Return the zone that this process runs in: `release`, `branch` or `workstation`."""
    return os.environ.get(VARIABLE) or WORKSTATION
