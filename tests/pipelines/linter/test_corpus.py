"""Every seeded fault is found by exactly its rule, and what is good gives nothing."""

import re
from pathlib import Path

import pytest

import pipelines.lint.pipeline_linter.rules
from pipelines.lint.pipeline_linter.linter import FAMILIES, lint_pipelines

CORPUS = Path(__file__).with_name("corpus")
BROKEN = sorted((CORPUS / "broken").iterdir())
GOOD = sorted((CORPUS / "good").iterdir())


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_seeded_fault_is_found_by_exactly_its_rule(file: Path) -> None:
    # Given a pipeline with one fault, named after the rule that is to find it
    rule = file.name[:4]

    # When it is linted
    findings = lint_pipelines([file])

    # Then that rule finds it, no other finds anything, and the finding says place and mend
    assert {finding.rule for finding in findings} == {rule}, "\n".join(map(str, findings))
    assert all(finding.place and finding.fix and finding.file == str(file) for finding in findings)


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_pipeline_gives_nothing(file: Path) -> None:
    assert [str(finding) for finding in lint_pipelines([file])] == []


def test_every_rule_is_listed_and_has_a_seeded_fault() -> None:
    # Given the ids that the rules can give, and the rules that the docs list
    folder = Path(pipelines.lint.pipeline_linter.rules.__file__).parent
    known = {
        rule
        for module in folder.glob("*.py")
        for rule in re.findall(r'finding\(\s*"(P\d{3})"|"(P\d{3})" (?:if|else)', module.read_text())
        for rule in rule
        if rule
    }
    listed = [rule for family in FAMILIES for rule in family.RULES]

    # Then each is listed, in order, and has a fault in the corpus; and there are no others
    assert {file.name[:4] for file in BROKEN} == set(listed)
    assert known <= set(listed)
    assert listed == sorted(listed)
