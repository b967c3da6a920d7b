"""Stripe's API."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented

_API: Final = "https://docs.stripe.com/api"
_GATEWAY: Final = "lambdas/payment_data/src/payment_data/payment_methods/stripe_gateway.py"
_INTENTS: Final = "lambdas/payment_data/src/payment_data/payment_methods/stripe_intents.py"

ASSUMPTIONS: Final = (
    Assumption(
        "keys-last-a-day",
        "An idempotency key replays its first answer, errors of 500 included, for at least 24 hours.",
        (_GATEWAY,),
        Documented(f"{_API}/idempotent_requests"),
        "Send one request twice within a day, in test mode.",
    ),
    Assumption(
        "intent-confirms-once",
        "A PaymentIntent captures at most once, however often it is confirmed.",
        (_INTENTS,),
        Documented("https://docs.stripe.com/payments/paymentintents/lifecycle"),
        "Confirm one twice with different keys, in test mode.",
    ),
    Assumption(
        "cancel-says-what-is-true",
        "Cancelling a PaymentIntent that succeeded is refused with the intent as it is, and one that was "
        "cancelled cannot succeed later.",
        (_INTENTS,),
        Documented(f"{_API}/payment_intents/cancel"),
        "Cancel one that succeeded, and confirm one that was cancelled, in test mode.",
    ),
    Assumption(
        "cancel-races-confirm",
        "When a cancellation and a confirmation meet, exactly one of them wins and both callers learn which.",
        (_INTENTS,),
        Assumed(
            (f"{_API}/payment_intents/cancel", "https://docs.stripe.com/payments/paymentintents/lifecycle"),
            "The order stays parked for a person: reconciliation names a capture without an order.",
        ),
        "Confirm and cancel at once, a thousand times, in test mode.",
    ),
    Assumption(
        "minor-units",
        "Stripe's minor units are those of its list of currencies, which differ from ISO 4217 for some.",
        (_GATEWAY, "environments/payment_rules.py"),
        Documented("https://docs.stripe.com/currencies"),
        "Create a PaymentIntent in each currency of the list, in test mode.",
    ),
    Assumption(
        "sepa-is-disputed-later",
        "A SEPA debit that succeeded can be disputed for eight weeks, and the dispute always succeeds.",
        (_GATEWAY,),
        Documented("https://docs.stripe.com/payments/sepa-debit"),
        "Use the test IBAN of a dispute, in test mode.",
    ),
    Assumption(
        "a-dispute-bars-a-refund",
        "A refund of a charge that a dispute took back is refused with the code charge_disputed, and the "
        "dispute is listed with what it took.",
        (_GATEWAY, _INTENTS),
        Documented("https://docs.stripe.com/error-codes"),
        "Refund a charge of pm_card_createDispute, in test mode.",
    ),
)
