"""What AWS would say of the stacks, asked before AWS is."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from pipelines.lint import repository_templates
from templates import docs
from tests.pipelines.definitions.declarations import create_pipeline_input

Json = dict[str, Any]


@pytest.fixture(scope="module")
def shape() -> Shape:
    model = botocore.session.get_session().get_service_model("codepipeline")
    return model.operation_model("CreatePipeline").input_shape  # type: ignore[return-value]  # it has one


def test_botocore_takes_every_pipeline(pipelines: dict[str, Json], shape: Shape) -> None:
    for name, properties in pipelines.items():
        # Given the pipeline as create_pipeline's input
        given = create_pipeline_input(name, properties)

        # Then botocore finds neither a wrong type nor a missing or unknown key
        assert ParamValidator().validate(given, shape).generate_report() == ""
        # And every enum, pattern, length and count of CodePipeline's service model holds
        assert list(_broken_constraints(given, shape, name)) == []


def test_cfn_lint_and_our_own_rules_find_nothing_in_the_pipelines_stack(pipelines_template: Json) -> None:
    assert repository_templates.judged({"pipelines": pipelines_template}, "eu-central-1") == []


def test_cfn_lint_finds_nothing_in_the_docs_stack() -> None:
    assert repository_templates.judged({"docs": docs.build().to_dict()}, "eu-central-1") == []


@pytest.mark.parametrize("environment", ["branch", "prod"])
def test_cfn_lint_finds_nothing_in_a_bootstrap_stack(bootstraps: dict[str, Json], environment: str) -> None:
    assert repository_templates.judged({environment: bootstraps[environment]}, "eu-central-1") == []


def _broken_constraints(value: Any, shape: Shape, place: str) -> Iterator[str]:
    inside: list[tuple[Any, Shape, str]] = []
    if isinstance(shape, StructureShape):
        inside = [(one, shape.members[key], f"{place}.{key}") for key, one in value.items()]
    elif isinstance(shape, MapShape):
        inside = [(key, shape.key, f"{place}.{key}") for key in value]
        inside += [(one, shape.value, f"{place}.{key}") for key, one in value.items()]
    elif isinstance(shape, ListShape):
        inside = [(one, shape.member, f"{place}[{number}]") for number, one in enumerate(value)]
    for one, its_shape, its_place in inside:
        yield from _broken_constraints(one, its_shape, its_place)
    if not _holds(value, shape.metadata):
        yield f"{place}: {value} breaks {shape.metadata}"


def _holds(value: Any, limits: Json) -> bool:
    size = value if isinstance(value, int) else len(value)
    small_and_large_enough = limits.get("min", 0) <= size <= limits.get("max", size)
    known = value in limits.get("enum", [value])
    shaped = not isinstance(value, str) or re.fullmatch(limits.get("pattern", r"[\s\S]*"), value) is not None
    return small_and_large_enough and known and shaped
