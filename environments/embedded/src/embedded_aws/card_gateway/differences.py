"""Where the local gateway is not Stripe: one table, for the docs and for whoever doubts a test."""

from collections.abc import Sequence
from typing import NamedTuple


class Difference(NamedTuple):
    """One row.

    Attributes:
        about: what it is about.
        stripe: what Stripe does.
        here: what the local gateway does.
        matters: what follows for us, or why nothing does.
    """

    about: str
    stripe: str
    here: str
    matters: str


DIFFERENCES: Sequence[Difference] = (
    Difference(
        "API surface",
        "Hundreds of resources.",
        "PaymentIntents, refunds, payment methods, customers; any other path is a 404 that says so.",
        "It is what the payment methods call.",
    ),
    Difference(
        "API keys",
        "One account per key; restricted keys; live keys.",
        "One account; any sk_test_ or rk_test_ key but sk_test_revoked…; live keys are refused.",
        "A test can show a rotated key; a live key never reaches a stand-in.",
    ),
    Difference(
        "Idempotency keys",
        "Kept for at least 24 hours, in each account.",
        "Kept for 24 hours, by the gateway's own clock.",
        "Nothing leans on how long: a PaymentIntent confirms at most once.",
    ),
    Difference(
        "Requests at once on one PaymentIntent",
        "May be refused with 429 lock_timeout.",
        "Done one after the other.",
        "The client maps 429 to Throttled; only Stripe itself can show it.",
    ),
    Difference(
        "Rate limits, outages, saved 500s",
        "Happen.",
        "Do not happen; the fault injection makes them.",
        "The crash matrix, not the gateway, is where they are tested.",
    ),
    Difference(
        "Durability",
        "What was answered is kept.",
        "What was answered survives a kill of the gateway; the last answers may be lost in a power cut.",
        "It is a development tool.",
    ),
    Difference(
        "SEPA: time to settle",
        "Up to 14 business days; in test mode moments or three minutes, by account.",
        "0.2 seconds or three minutes, by account.",
        "Orders wait in both; the length of the wait is the state machine's.",
    ),
    Difference(
        "SEPA: mandates",
        "A PaymentIntent needs `mandate_data`, or a payment method that has a mandate.",
        "`mandate_data` is taken and not looked at.",
        "The bank_account method always sends it, or a customer.",
    ),
    Difference(
        "SEPA: why a debit failed",
        "The code depends on the bank; test accounts have theirs.",
        "generic_decline, insufficient_funds or charge_exceeds_source_limit, by account.",
        "The reason is recorded as it comes and never interpreted.",
    ),
    Difference(
        "3-D Secure",
        "A shopper can pass the challenge.",
        "Nobody can; with `error_on_requires_action` or `off_session` it is a decline.",
        "The workflow has no shopper in front of it.",
    ),
    Difference(
        "Card numbers",
        "Refused from servers unless the account was allowed to send them.",
        "Taken, 16 digits only.",
        "Tests use the ready-made payment methods (pm_card_…), which both have.",
    ),
    Difference(
        "Refunds",
        "May stay `pending`, and may fail later.",
        "Succeed at once.",
        "Reconciliation finds a refund that failed later.",
    ),
    Difference(
        "Cancelling an authorized card",
        "Gives the hold back to the cardholder.",
        "Closes the PaymentIntent; the charge object stays as it was.",
        "The payment methods capture at confirm and never hold.",
    ),
    Difference(
        "Events and webhooks",
        "Sent for every change.",
        "None.",
        "The workflow asks; it does not wait to be told.",
    ),
    Difference(
        "Amounts",
        "A minimum per currency (0.50 EUR).",
        "At least 1 minor unit.",
        "Stripe's `amount_too_small` is recorded as a decline.",
    ),
    Difference(
        "Objects",
        "Every field of the API version asked for.",
        "The fields localstripe knows, and those that the payment methods read.",
        "The contract suite reads the same fields from both.",
    ),
)
