"""Environments that pay otherwise than their files say."""

from environments.schema import Environment, load

KEY_ARN = "arn:aws:secretsmanager:eu-central-1:333333333333:secret:stripe-AbCdEf"


def paying_by(method: str, name: str = "prod", **stripe: str) -> Environment:
    """Return an environment as its file would say it with another payment method."""
    raw = load(name).model_dump()
    raw["network"]["public_subnet_cidr"] = "10.43.240.0/28"
    return Environment.model_validate(
        raw | {"payment_method": method, "stripe": {"secret_arn": KEY_ARN, **stripe}}
    )
