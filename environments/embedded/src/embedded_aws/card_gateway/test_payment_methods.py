"""Stripe's test cards and test bank accounts: what each of them does.

Sources: https://docs.stripe.com/testing#declined-payments and
https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-your-integration.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Decline(NamedTuple):
    """Why a charge is refused: Stripe's error code, its decline code where it gives one, its words."""

    code: str
    decline_code: str | None
    message: str


class BankAccount(NamedTuple):
    """How a SEPA debit of an account ends: after how many seconds, and with which failure if any."""

    seconds: float
    failure: Decline | None = None


AUTHENTICATION_REQUIRED = Decline(
    "authentication_required", "authentication_required", "This payment requires authentication."
)
DECLINED_CARDS: Mapping[str, Decline] = {
    "4000000000000002": Decline("card_declined", "generic_decline", "Your card was declined."),
    "4000000000009995": Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "4000000000009987": Decline("card_declined", "lost_card", "Your card was declined."),
    "4000000000009979": Decline("card_declined", "stolen_card", "Your card was declined."),
    "4000000000000341": Decline("card_declined", "generic_decline", "Your card was declined."),
    "4000000000000069": Decline("expired_card", None, "Your card has expired."),
    "4000000000000127": Decline("incorrect_cvc", None, "Your card's security code is incorrect."),
    "4000000000000119": Decline(
        "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
    ),
}
"""By card number: refused at confirm."""

DISPUTED_CARD = "4000000000000259"
"""Its charges succeed, and are disputed as fraud."""
UNREFUNDABLE_CARD = "4000000000005126"
"""Its refunds succeed, and fail some moments later."""

AT_ONCE = 0.2
DELAYED = 180.0
_FAILED = Decline("generic_decline", "generic_decline", "The debit was refused by the bank.")
_SHORT = Decline("insufficient_funds", "insufficient_funds", "The account has insufficient funds.")
_OVER_LIMIT = Decline("charge_exceeds_source_limit", None, "The debit exceeds the account's weekly limit.")
ACCOUNTS: Mapping[str, BankAccount] = {
    "DE89370400440532013000": BankAccount(AT_ONCE),
    "DE08370400440532013003": BankAccount(DELAYED),
    "DE62370400440532013001": BankAccount(AT_ONCE, _FAILED),
    "DE78370400440532013004": BankAccount(DELAYED, _FAILED),
    "DE65370400440002222227": BankAccount(AT_ONCE, _SHORT),
    "DE65370400440000343434": BankAccount(AT_ONCE, _OVER_LIMIT),
}
"""By IBAN; any other account is debited like the first."""

CARD_TOKENS: Mapping[str, str] = {
    "pm_card_visa": "4242424242424242",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
}
"""Payment methods that exist in every test account, by id: the card number each stands for."""

ACCOUNT_TOKENS: Mapping[str, str] = {
    "pm_success_de": "DE89370400440532013000",
    "pm_successDelayed_de": "DE08370400440532013003",
    "pm_failed_de": "DE62370400440532013001",
    "pm_failedDelayed_de": "DE78370400440532013004",
    "pm_insufficientFunds_de": "DE65370400440002222227",
    "pm_exceedsWeeklyVolumeLimit_de": "DE65370400440000343434",
}
"""The same for bank accounts: the IBAN each stands for."""
