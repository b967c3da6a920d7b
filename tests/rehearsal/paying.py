"""Environments whose orders are paid at the embedded AWS's own Stripe."""

from __future__ import annotations

from environments.schema import Environment


def paying_by(method: str, environment: Environment) -> Environment:
    """Change how an environment is paid; its functions then need a way out."""
    raw = environment.model_dump()
    raw["network"]["public_subnet_cidr"] = "10.41.240.0/28"
    arn = f"arn:aws:secretsmanager:{environment.region}:{environment.account}:secret:stripe-AbCdEf"
    changes = {
        "payment_method": method,
        "network_stack": "payments-network-out",
        "stripe": {"secret_arn": arn},
    }
    return Environment.model_validate(raw | changes)
