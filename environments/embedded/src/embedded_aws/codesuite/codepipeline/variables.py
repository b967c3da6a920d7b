"""Variables in action and rule configurations: `#{namespace.name}`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

import re
from typing import Any

from embedded_aws.codesuite.scope import Json

REFERENCE = re.compile(r"#\{([^{}.]+)\.([^{}]+)\}")


class VariableUnresolved(Exception):  # noqa: N818 - it says what happened
    """A configuration refers to a variable that nobody produced."""


def resolve(execution: Json, value: Any) -> Any:
    """Replace the references in a configuration's values.

    Raises:
        VariableUnresolved: a namespace or a name is not there.
    """
    if isinstance(value, dict):
        return {key: resolve(execution, member) for key, member in value.items()}
    if isinstance(value, list):
        return [resolve(execution, member) for member in value]
    if not isinstance(value, str):
        return value
    return REFERENCE.sub(lambda found: _value(execution, found.group(1), found.group(2)), value)


def _value(execution: Json, namespace: str, name: str) -> str:
    known = {
        "codepipeline": {"PipelineExecutionId": execution["id"]},
        "variables": execution["variables"],
        **execution["namespaces"],
    }
    try:
        return str(known[namespace][name])
    except KeyError:
        raise VariableUnresolved(f"The variable #{{{namespace}.{name}}} could not be resolved.") from None
