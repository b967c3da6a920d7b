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


LOGIN_ARN = "arn:aws:secretsmanager:eu-central-1:333333333333:secret:mongodb-AbCdEf"


def with_a_password(environment: Environment) -> Environment:
    """Return an environment whose database is a cluster of its owner's own, with a password."""
    return environment.model_copy(
        update={
            "database": environment.database.model_copy(
                update={
                    "kind": "own_cluster",
                    "atlas_project": None,
                    "vpc_id": "vpc-00000000000000004",
                    "owner_account": "555555555555",
                    "peer_role_arn": "arn:aws:iam::555555555555:role/accept-payments-peering",
                    "authentication": "SCRAM-SHA-256",
                    "secret_arn": LOGIN_ARN,
                }
            )
        }
    )
