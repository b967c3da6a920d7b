"""Variables in action and rule configurations, `#{namespace.name}`: checked and resolved.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

import re
from collections.abc import Iterator
from typing import Any

from embedded_aws.codepipeline.records import Execution
from embedded_aws.core.api import Json

_REFERENCE = re.compile(r"#\{([^{}.]+)\.([^{}]+)\}")


class VariableUnresolved(Exception):  # noqa: N818 - it says what happened
    """A configuration refers to a variable that nobody produced."""


def resolve(execution: Execution, value: Any) -> Any:
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
    return _REFERENCE.sub(lambda reference: _value(execution, reference.group(1), reference.group(2)), value)


def _value(execution: Execution, namespace: str, name: str) -> str:
    values = {
        "codepipeline": {"PipelineExecutionId": execution["id"]},
        "variables": execution["variables"],
        **execution["namespaces"],
    }
    try:
        return str(values[namespace][name])
    except KeyError:
        raise VariableUnresolved(f"The variable #{{{namespace}.{name}}} could not be resolved.") from None


def namespaces(pipeline: Json) -> Iterator[str]:
    """Name the namespaces of all actions, in their order."""
    for stage in pipeline["stages"]:
        for action in stage["actions"]:
            if action.get("namespace"):
                yield action["namespace"]


def reference_problems(pipeline: Json) -> Iterator[str]:
    """Say which references lead to a namespace that is not there, or not yet.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    """
    declared = {variable["name"] for variable in pipeline.get("variables", [])}
    available = {"codepipeline", "variables"}
    for stage in pipeline["stages"]:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action["runOrder"] == order]
            for action in group:
                for key, namespace, name in _references(action):
                    if namespace not in available or (namespace == "variables" and name not in declared):
                        yield _dangling(stage["name"], action["name"], key, f"{namespace}.{name}")
            available |= {action["namespace"] for action in group if action.get("namespace")}


def _references(action: Json) -> Iterator[tuple[str, str, str]]:
    parts = {**action["configuration"], "environmentVariables": action.get("environmentVariables", [])}
    for key, value in parts.items():
        for text in _texts(value):
            for reference in _REFERENCE.finditer(text):
                yield key, reference.group(1), reference.group(2)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


def _dangling(stage: str, action: str, key: str, text: str) -> str:
    return (
        "Valid format for a pipeline execution variable reference is a namespace and a key separated by a "
        "period (.). The following pipeline execution variables are referencing a namespace that does not "
        f"exist. StageName=[{stage}], ActionName=[{action}], ActionConfigurationKey=[{key}], "
        f"VariableReferenceText=[{text}]"
    )
