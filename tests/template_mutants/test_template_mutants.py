"""The mutants of templates: each is another template, and nothing is explained that is not there."""

from __future__ import annotations

import copy
import fnmatch
import random
from typing import Any

import pytest

from tests.template_mutants import checks, without_effect
from tests.template_mutants.mutations import DROP, Mutant, mutants, stack_of
from tests.templates import figures
from tests.templates.chosen import templates


@pytest.fixture(scope="module")
def every() -> list[Mutant]:
    return mutants()


@pytest.fixture(scope="module")
def originals() -> list[dict[str, Any]]:
    return [*templates().values()]


def test_every_mutant_is_another_template_and_leaves_the_original_alone(
    every: list[Mutant], originals: list[dict[str, Any]]
) -> None:
    before = copy.deepcopy(originals)
    for mutant in random.Random(1).sample(every, 300):  # noqa: S311 - no secret
        changed = [
            (mutant.applied(template), template)
            for template in originals
            if stack_of(template) == mutant.stack
        ]
        made = [(template, original) for template, original in changed if template is not None]
        assert made, mutant.name
        assert all(template != original for template, original in made), mutant.name
    assert originals == before


def test_the_golden_file_has_a_line_that_each_mutant_changes(
    every: list[Mutant], originals: list[dict[str, Any]]
) -> None:
    # Given mutants of every template, those of texts, permissions and outputs among them
    for mutant in random.Random(2).sample(every, 40):  # noqa: S311 - no secret
        made = [
            (changed, original)
            for original in originals
            if stack_of(original) == mutant.stack and (changed := mutant.applied(original)) is not None
        ]
        # Then the lines that a person reviews are others
        assert all(figures.lines(changed) != figures.lines(original) for changed, original in made), (
            mutant.name
        )


def test_every_resource_and_property_has_a_mutant(
    every: list[Mutant], originals: list[dict[str, Any]]
) -> None:
    dropped = {(mutant.stack, mutant.path) for mutant in every if mutant.after == DROP}
    for template in originals:
        for name, resource in template["Resources"].items():
            for key in resource.get("Properties", {}):
                assert (stack_of(template), ("Resources", name, "Properties", key)) in dropped
            assert (stack_of(template), ("Resources", name)) in dropped


def test_what_is_explained_is_there_and_says_why(every: list[Mutant]) -> None:
    parts = {without_effect.part_of(mutant) for mutant in every}
    for entry in without_effect.entries():
        assert len(entry["why"].split()) > 3
        for pattern in entry["parts"]:
            assert fnmatch.filter(parts, pattern), pattern


@pytest.mark.parametrize(
    ("check", "part"),
    [
        ("references", ("payments", "AWS::Lambda::Alias", "DataApiLive")),
        ("schemas", ("payments", "AWS::Lambda::Permission", "DataApiInvokesFunction.Properties.Principal")),
        ("schemas", ("payments", "AWS::ApiGateway::Method", "DataApiAnyMethod.Properties.HttpMethod")),
    ],
)
def test_a_quick_judge_notices(
    every: list[Mutant], originals: list[dict[str, Any]], check: str, part: tuple[str, str, str]
) -> None:
    stack, kind, place = part
    mutant = next(
        mutant
        for mutant in every
        if (mutant.stack, mutant.kind, mutant.place, mutant.after) == (stack, kind, f"{stack}: {place}", DROP)
    )
    assert checks.Quick(originals).notices(mutant) == check
