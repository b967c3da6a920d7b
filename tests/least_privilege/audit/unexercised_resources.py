"""Resources of needed statements that no rehearsal acts on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class UnexercisedResource:
    """A resource of a needed statement that no rehearsal acts on.

    Attributes:
        pattern: A shell pattern of what stands in the policy, whose own `*` and `?` are in brackets.
        why: When it is acted on.
    """

    pattern: str
    why: str


UNEXERCISED: Final = (
    UnexercisedResource(
        "*/PUT/orders/[*]/payments/[?][?]*",
        "The tenth and later attempts at a payment, written out because IAM's ? is one character.",
    ),
    UnexercisedResource(
        "*/PUT/orders/[*]/payments/[?]/processing",
        "Stripe answers `processing` for a card at times (PaymentIntents API, status); the local Stripe does "
        "so for bank debits alone.",
    ),
)
