"""The states of an order and the only changes between them.

NEW → RESERVED → PAID → COMPLETED; undoing goes CANCELLING first, and ends FAILED, or
NEEDS_ATTENTION until a person redrives it.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an order is on its journey."""

    NEW = "NEW"
    RESERVED = "RESERVED"
    PAID = "PAID"
    COMPLETED = "COMPLETED"
    CANCELLING = "CANCELLING"
    FAILED = "FAILED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"


OPEN = frozenset({State.NEW, State.RESERVED, State.PAID})
"""May still be completed, or cancelled."""
CLOSED = frozenset({State.CANCELLING, State.FAILED, State.NEEDS_ATTENTION})
"""Is being undone or has been: nothing forward happens any more."""

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.RESERVED, State.CANCELLING}),
    State.RESERVED: frozenset({State.PAID, State.CANCELLING}),
    State.PAID: frozenset({State.COMPLETED, State.CANCELLING}),
    State.COMPLETED: frozenset(),
    State.CANCELLING: frozenset({State.FAILED, State.NEEDS_ATTENTION}),
    State.NEEDS_ATTENTION: frozenset({State.CANCELLING, State.FAILED}),
    State.FAILED: frozenset(),
}
"""From a state to those it may change to."""
