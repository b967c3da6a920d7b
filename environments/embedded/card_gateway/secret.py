"""The gateway's API key in an embedded Secrets Manager, where the functions that pay look for it."""

from typing import Any

from environments.embedded.card_gateway.gateway import TEST_KEY

NAME = "payments/stripe"


def ensure(secretsmanager: Any, key: str = TEST_KEY) -> str:
    """Return the secret's ARN; it is made when it is missing, and one that is there keeps its key.

    Args:
        secretsmanager: a boto3 client of the account and region that the functions run in.
        key: any key of test mode.
    """
    try:
        found = secretsmanager.describe_secret(SecretId=NAME)
    except secretsmanager.exceptions.ResourceNotFoundException:
        found = secretsmanager.create_secret(Name=NAME, SecretString=key)
    return str(found["ARN"])
