"""The requests that schemathesis makes of the OpenAPI document, and what it asks of their answers."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Err
from schemathesis.pytest.lazy import get_all_tests

from tests.properties.gateway import DOCUMENT, application

BEYOND_SCHEMAS: Final = (
    "must be within 24 hours",
    "must not add up to more than",
    "must not repeat that of",
    "must be what an earlier answer gave as",
)
"""Rules that no JSON Schema can say; a request that breaks one of them is answered 422."""
EXPECTED: Final = ["2xx", "404", "409", "422"]
# Who may ask is API Gateway's to decide, by IAM; tests/integration/embedded asks that of a deployed one.
CONFIG: Final = schemathesis.Config.from_dict(
    {
        "generation": {"with-security-parameters": False},
        "checks": {
            "ignored_auth": {"enabled": False},
            "positive_data_acceptance": {"expected-statuses": EXPECTED},
        },
    }
)
SCHEMA = schemathesis.openapi.from_wsgi(DOCUMENT, application, config=CONFIG)


def refused_for_what_schemas_can_say(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Hold a refusal of a request that fits its schema to the rules that are beyond schemas."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = response.json()
    if "errors" not in problem:  # InvalidOrder, of what the database holds
        return
    rules = [error["rule"] for error in problem["errors"]]
    if any(isinstance(value, float) for value in _values(case.body)):
        # To JSON Schema 1.0 is an integer; to us it is not, because readers may disagree about it.
        rules = [rule for rule in rules if not rule.startswith("must be an integer")]
    assert all(rule.startswith(BEYOND_SCHEMAS) for rule in rules), rules


def _values(body: Any) -> Iterator[Any]:
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for value in inside:
        yield value
        yield from _values(value)


@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def _is_as_documented(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(additional_checks=[refused_for_what_schemas_can_say])


def every_request(operation: str) -> Callable[[], None]:
    """Make up the requests of an operation; what is returned sends them, and raises what it finds."""
    load_all_checks()
    (result,) = get_all_tests(
        schema=SCHEMA.include(name=operation), test_func=_is_as_documented, settings=None, given_kwargs=None
    )
    if isinstance(result, Err):
        raise result.err()
    _, test = result.ok()
    return test
