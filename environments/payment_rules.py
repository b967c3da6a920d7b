"""How an environment is paid: what Stripe needs is there exactly where it is needed, and no key is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from environments.files import Problem, value_at
from payment_data import money
from payment_data.payment_methods.names import NAMES, STRIPE
from payment_data.payment_methods.stripe_intents import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator

# AWS documentation, Secrets Manager user guide, "What's in a secret": six random characters end every ARN.
_SECRET_ARN = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"
)


def secret_arn(value: str) -> str:
    """Return the ARN if it names a secret of AWS Secrets Manager; raise ValueError otherwise.

    The value is never repeated in the error: somebody might have put the secret itself there.

    Raises:
        ValueError: It is none.
    """
    if not _SECRET_ARN.fullmatch(value):
        raise ValueError("is not the whole ARN of a secret in AWS Secrets Manager")
    return value


def is_secret_arn(value: str) -> bool:
    """Return whether this is the whole ARN of a secret."""
    return _SECRET_ARN.fullmatch(value) is not None


def api_base(value: str) -> str:
    """Return the URL if it is a host's, and https unless it is this machine's; raise ValueError otherwise.

    Raises:
        ValueError: It is none, or not https.
    """
    parts = urlsplit(value)
    if "@" in value or parts.path or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("is not a URL like https://api.example, without path or credentials")
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise ValueError("is not https")
    return value


def known_payment_method(value: str) -> str:
    """Return the payment method's name if there is one; raise ValueError otherwise.

    Raises:
        ValueError: There is no such method.
    """
    if value not in NAMES:
        raise ValueError(f"{value} is not a payment method; choose from {', '.join(sorted(NAMES))}")
    return value


def between_parts(raw: dict[Any, Any]) -> Iterator[Problem]:
    """Ask for what a payment method needs, and for nothing that it does not."""
    method, earlier = raw.get("payment_method"), raw.get("also_refunds") or []
    if method not in NAMES or not isinstance(earlier, list):
        return
    if method in earlier or len(set(map(str, earlier))) < len(earlier):
        rule = f"names each method once, and not {method}, which new orders are paid by"
        yield Problem("also_refunds", rule)
    through_stripe = next((name for name in (method, *earlier) if name in STRIPE), None)
    keys = {
        "stripe": raw.get("stripe") is not None,
        "network.public_subnet_cidr": value_at(raw, "network", "public_subnet_cidr") is not None,
    }
    for key, is_set in keys.items():
        if through_stripe and not is_set:
            yield Problem(key, f"is required by the payment method {through_stripe}")
        if not through_stripe and is_set:
            yield Problem(key, f"has no meaning with the payment method {method}")
    if method in STRIPE and raw.get("currency") in money.EXPONENTS.keys() - CURRENCIES:
        yield Problem("currency", f"{raw['currency']} cannot be charged by Stripe, as {method} does")
    if method == "bank_account" and raw.get("currency") != "EUR":
        yield Problem("currency", "is EUR with bank_account: SEPA debits are in euros")
    yield from _secret(raw)


def _secret(raw: dict[Any, Any]) -> Iterator[Problem]:
    arn = value_at(raw, "stripe", "secret_arn")
    if isinstance(arn, str) and _SECRET_ARN.fullmatch(arn):
        _, _, _, region, account, *_ = arn.split(":")
        if (region, account) != (raw.get("region"), raw.get("account")):
            yield Problem("stripe.secret_arn", "is not of this environment's account and region")
    if raw.get("production") is True and value_at(raw, "stripe", "api_base") is not None:
        yield Problem("stripe.api_base", "is Stripe's own in production, so it is left out")
