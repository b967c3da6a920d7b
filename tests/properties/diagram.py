"""The states of an order as docs draw them, written again on purpose: the code's own table is on trial."""

from typing import Final

LEGAL: Final = {
    (None, "NEW"),
    ("NEW", "RESERVED"),
    ("RESERVED", "PAID"),
    ("PAID", "COMPLETED"),
    ("NEW", "CANCELLING"),
    ("RESERVED", "CANCELLING"),
    ("PAID", "CANCELLING"),
    ("CANCELLING", "FAILED"),
    ("CANCELLING", "NEEDS_ATTENTION"),
    ("NEEDS_ATTENTION", "CANCELLING"),
    ("NEEDS_ATTENTION", "COMPLETED"),
}
OPEN: Final = ("NEW", "RESERVED", "PAID")
CLOSED: Final = ("CANCELLING", "FAILED", "NEEDS_ATTENTION")
STATES: Final = (*OPEN, "COMPLETED", *CLOSED)
