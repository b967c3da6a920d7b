"""Stripe's API key, read from AWS Secrets Manager when it is first needed."""

import os
from collections.abc import Mapping

from payment_data.stored_secret import StoredSecret

VARIABLE = "STRIPE_SECRET_ARN"
"""Environment variable that names the secret, whose text is the API key and nothing else."""


class StripeSecret(StoredSecret):
    """The API key.

    Args:
        environ: Lambda's environment: the secret's ARN, and what reading it takes.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(environ[VARIABLE], environ)
