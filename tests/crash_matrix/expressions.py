"""JSONata in a state's fields, as Step Functions evaluates it.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import functools
import json
from collections.abc import Mapping
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils


class QueryFailed(Exception):  # noqa: N818 - what happened; Step Functions names it States.QueryEvaluationError
    """An expression failed, or its result is undefined, which JSON cannot say."""


def render(template: Any, bindings: Mapping[str, Any]) -> Any:
    """Evaluate every `{% expression %}` in a JSON value.

    Args:
        template: what stands in `Arguments`, `Output`, `Assign`, `Condition`, `Error` or `Cause`.
        bindings: `states` and the workflow variables, by name without `$`.

    Raises:
        QueryFailed: an expression is wrong or has no result.
    """
    if isinstance(template, str):
        if template.startswith("{%") and template.endswith("%}"):
            return _evaluate(template[2:-2].strip(), bindings)
        return template
    if isinstance(template, dict):
        return {key: render(value, bindings) for key, value in template.items()}
    if isinstance(template, list):
        return [render(value, bindings) for value in template]
    return template


@functools.cache
def _compiled(expression: str) -> Jsonata:
    compiled = Jsonata(expression)
    # Step Functions' own; $eval does not exist there.
    compiled.register_lambda("parse", json.loads)
    return compiled


def _evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    return json.loads(_evaluated(expression, json.dumps(bindings)))


@functools.lru_cache(10_000)
def _evaluated(expression: str, bindings_text: str) -> str:
    """Return the result as JSON: retries ask for the same again and again, and none may share the answer."""
    bindings = json.loads(bindings_text)
    # jsonata-python takes a None binding for undefined.
    bound = {name: Utils.NULL_VALUE if value is None else value for name, value in bindings.items()}
    try:
        result = _compiled(expression).evaluate(None, bound)
        if result is None and not _compiled(f"$exists(({expression}))").evaluate(None, bound):
            raise QueryFailed(f"the expression has no result: {expression}")
    except (JException, ValueError, TypeError) as error:
        raise QueryFailed(f"{expression}: {error}") from error
    return json.dumps(result)
