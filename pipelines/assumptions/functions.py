"""Lambda and API Gateway."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumption, Documented

_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg"
_GATEWAY: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide"

ASSUMPTIONS: Final = (
    Assumption(
        "same-code-is-no-new-version",
        "Lambda publishes no version when code and configuration are those of the last one, and "
        "CloudFormation's new version then fails.",
        ("templates/capabilities/functions.py", "templates/capabilities/stack_interface.py"),
        Documented(f"{_LAMBDA}/configuration-versions.html"),
        "Roll a release back, then release the same commit.",
    ),
    Assumption(
        "processor-follows-memory",
        "A function has one processor at 1,769 MB and its share of one below.",
        ("environments/prod.yml", "templates/capabilities/data_api.py"),
        Documented(f"{_LAMBDA}/configuration-memory.html"),
        "Measure the first request of the data API at two sizes.",
    ),
    Assumption(
        "python-runtime",
        "Lambda runs python3.13 on arm64.",
        ("environments/parts.py",),
        Documented(f"{_LAMBDA}/lambda-runtimes.html"),
        "Deploy a payments stack.",
    ),
    Assumption(
        "environment-variables-size",
        "The environment variables of a function hold at most 4 KB.",
        ("templates/capabilities/functions.py",),
        Documented(f"{_LAMBDA}/gettingstarted-limits.html"),
        "Deploy a payments stack.",
    ),
    Assumption(
        "one-request-at-a-time",
        "A sandbox of a function serves one request at a time.",
        ("lambdas/data_api/storage/connection.py",),
        Documented(f"{_LAMBDA}/lambda-concurrency.html"),
        "Read the data API's logs of a load test: no two requests of one stream overlap.",
    ),
    Assumption(
        "resource-policy-and-identity",
        "An Allow of the account in a private API's resource policy leaves the decision to the caller's own "
        "policy.",
        ("templates/capabilities/data_api.py",),
        Documented(f"{_GATEWAY}/apigateway-authorization-flow.html"),
        "Call the data API with a role of the account that may not; it answers 403.",
    ),
    Assumption(
        "private-api-needs-deployment",
        "A change of an API takes effect with a new deployment only.",
        ("templates/capabilities/data_api_stage.py",),
        Documented(f"{_GATEWAY}/how-to-deploy-api.html"),
        "Change a method and call it before and after.",
    ),
    Assumption(
        "log-role-is-the-accounts",
        "The role with which API Gateway writes logs belongs to the account and region, not to an API.",
        ("templates/capabilities/api_gateway_account.py",),
        Documented(f"{_GATEWAY}/set-up-logging.html"),
        "Deploy two environments to one account, delete one network stack, and read aws apigateway "
        "get-account.",
    ),
    Assumption(
        "reserved-concurrency-leaves-hundred",
        "Of an account's concurrency, 100 must stay unreserved.",
        ("pipelines/doctor/quotas.py",),
        Documented(f"{_LAMBDA}/configuration-concurrency.html"),
        "Reserve more; it is refused.",
    ),
)
