"""The two stacks, built once."""

from typing import Any

import pytest

from environments import schema, tools
from pipelines.definitions import bootstrap_stack, pipelines_stack

Json = dict[str, Any]


@pytest.fixture(scope="session")
def settings() -> tools.Tools:
    return tools.load()


@pytest.fixture(scope="session")
def pipelines_template(settings: tools.Tools) -> Json:
    built: Json = pipelines_stack.build(settings).to_dict()
    return built


@pytest.fixture(scope="session")
def bootstraps(settings: tools.Tools) -> dict[str, Json]:
    return {
        name: bootstrap_stack.build(settings, schema.load(name)).to_dict()
        for name in ("branch", "staging", "prod")
    }


@pytest.fixture(scope="session")
def pipelines(pipelines_template: Json) -> dict[str, Json]:
    """The four pipelines' properties by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in pipelines_template["Resources"].items()
        if resource["Type"] == "AWS::CodePipeline::Pipeline"
    }
