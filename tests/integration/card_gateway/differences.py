"""The table of where the local gateway deviates from Stripe, for the docs and for whoever doubts a test."""

from collections.abc import Sequence
from typing import NamedTuple


class Deviation(NamedTuple):
    """One row of the table.

    Attributes:
        topic: the part of Stripe.
        stripe: what Stripe does.
        local: what the local gateway does.
        consequence: what follows for us, or why nothing does.
    """

    topic: str
    stripe: str
    local: str
    consequence: str


DEVIATIONS: Sequence[Deviation] = (
    Deviation(
        "API surface",
        "Hundreds of resources.",
        "PaymentIntents, refunds, payment methods, customers; any other path is a 404 that says so.",
        "It is what the payment methods call.",
    ),
    Deviation(
        "API keys",
        "One account per key; restricted keys; live keys.",
        "One account; any sk_test_ or rk_test_ key but sk_test_revoked…; live keys are refused.",
        "A test can show a rotated key; a live key never reaches a stand-in.",
    ),
    Deviation(
        "Idempotency keys",
        "Kept for at least 24 hours, in each account.",
        "Kept for 24 hours, by the gateway's own clock.",
        "Nothing leans on how long: a PaymentIntent confirms at most once.",
    ),
    Deviation(
        "Requests at once on one PaymentIntent",
        "May be refused with 429 lock_timeout.",
        "Done one after the other.",
        "The client maps 429 to Throttled; only Stripe itself can show it.",
    ),
    Deviation(
        "Rate limits, outages, saved 500s",
        "Happen.",
        "Do not happen; the fault injection makes them.",
        "The crash matrix, not the gateway, is where they are tested.",
    ),
    Deviation(
        "Durability",
        "What was answered is kept.",
        "What was answered survives a kill of the gateway; the last answers may be lost in a power cut.",
        "It is a development tool.",
    ),
    Deviation(
        "SEPA: time to settle",
        "Up to 14 business days; in test mode moments or three minutes, by account.",
        "0.2 seconds or three minutes, by account.",
        "Orders wait in both; the length of the wait is the state machine's.",
    ),
    Deviation(
        "SEPA: mandates",
        "A PaymentIntent needs `mandate_data`, or a payment method that has a mandate.",
        "`mandate_data` is taken and not looked at.",
        "The bank_account method always sends it, or a customer.",
    ),
    Deviation(
        "SEPA: why a debit failed",
        "The code depends on the bank; test accounts have theirs.",
        "generic_decline, insufficient_funds or charge_exceeds_source_limit, by account.",
        "The reason is recorded as it comes and never interpreted.",
    ),
    Deviation(
        "3-D Secure",
        "A shopper can pass the challenge.",
        "Nobody can; with `error_on_requires_action` or `off_session` it is a decline.",
        "The workflow has no shopper in front of it.",
    ),
    Deviation(
        "Card numbers",
        "Refused from servers unless the account was allowed to send them.",
        "Taken, 16 digits only.",
        "Tests use the ready-made payment methods (pm_card_…), which both have.",
    ),
    Deviation(
        "Refunds",
        "May stay `pending`, and may fail later.",
        "Succeed at once; those of the test card `pm_card_refundFail` fail 0.2 seconds later.",
        "Reconciliation finds a refund that failed later.",
    ),
    Deviation(
        "Disputes",
        "Opened by a cardholder's bank for months; inquiries before them; evidence in many fields.",
        "Charges of `pm_card_createDispute` are disputed at once; submitted evidence ends a dispute at once.",
        "Reconciliation lists disputes, and never answers one.",
    ),
    Deviation(
        "Cancelling an authorized card",
        "Gives the hold back to the cardholder.",
        "Closes the PaymentIntent; the charge object stays as it was.",
        "The payment methods capture at confirm and never hold.",
    ),
    Deviation(
        "Events and webhooks",
        "Sent for every change.",
        "None.",
        "The workflow asks; it does not wait to be told.",
    ),
    Deviation(
        "Amounts",
        "A minimum, by the currency the account settles in; up to 12 digits in a few currencies.",
        "The documented minimum of the charge's own currency; 8 digits in all.",
        "What is charged is within both; Stripe's own `amount_too_small` is recorded as a decline.",
    ),
    Deviation(
        "Objects",
        "Every field of the API version asked for.",
        "The fields localstripe knows, and those that the payment methods read.",
        "The contract suite reads the same fields from both.",
    ),
)
