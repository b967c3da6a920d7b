"""Functions as one container image, where an environment says `packaging: image`."""

from __future__ import annotations

from typing import Any

import pytest

from environments.schema import Environment, load
from pipelines.lint import repository_templates
from templates.payments import FUNCTIONS, build
from tests.templates.reading import properties

Json = dict[str, Any]


def with_image(environment: Environment) -> Environment:
    functions = environment.functions.model_copy(update={"packaging": "image"})
    return environment.model_copy(update={"functions": functions})


@pytest.fixture(scope="module")
def stack() -> Json:
    built: Json = build(with_image(load("prod"))).to_dict()
    return built


def test_every_function_is_the_one_image_by_its_digest(stack: Json) -> None:
    functions = properties(stack, "AWS::Lambda::Function")
    assert len(functions) == len(FUNCTIONS)
    for name, function in functions.items():
        assert function["PackageType"] == "Image", name
        assert function["Code"] == {"ImageUri": {"Fn::Sub": "${ImageRepository}@${ImageDigest}"}}, name
        # Lambda refuses both of an image.
        assert not {"Handler", "Runtime"} & set(function), name


def test_each_function_begins_with_its_own_handler(stack: Json) -> None:
    functions = properties(stack, "AWS::Lambda::Function").values()
    commands = [function["ImageConfig"]["Command"] for function in functions]
    assert sorted(commands) == sorted([f"{name}.handler.handler"] for name in FUNCTIONS)


def test_the_stack_asks_for_an_image_and_for_no_zips(stack: Json) -> None:
    parameters = set(stack["Parameters"])
    assert {"ImageRepository", "ImageDigest"} < parameters
    assert not [name for name in parameters if name.endswith("CodeKey") or name == "ArtifactBucket"]


def test_another_image_publishes_versions_and_another_repository_does_not(stack: Json) -> None:
    for version in properties(stack, "AWS::Lambda::Version").values():
        text = version["Description"]["Fn::Sub"]
        assert "${ImageDigest}" in text
        assert "${ImageRepository}" not in text
        longest = {"${ImageDigest}": 71, "${NetworkStack}": 64, "${DatabaseName}": 38, "${Attempt}": 6}
        for name, length in longest.items():
            text = text.replace(name, "x" * length)
        assert len(text) <= 256


def test_linters_find_nothing(stack: Json) -> None:
    assert repository_templates.judged({"prod/payments": stack}, "eu-central-1") == []


def test_but_for_their_code_both_packagings_are_the_same(stack: Json) -> None:
    # Given the same environment with zips
    zips = properties(build(load("prod")).to_dict(), "AWS::Lambda::Function")
    # When what says where code is and how it begins is left out
    code = {"Code", "PackageType", "ImageConfig", "Handler", "Runtime"}
    # Then nothing differs
    for name, function in properties(stack, "AWS::Lambda::Function").items():
        both = [{key: one[key] for key in one if key not in code} for one in (function, zips[name])]
        assert both[0] == both[1], name
