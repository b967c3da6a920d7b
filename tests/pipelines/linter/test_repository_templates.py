"""What of this repository is linted, and that only what was clean is not asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from environments import schema, tools
from pipelines.lint import repository_templates, templates
from pipelines.lint.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

FAULT = Finding("Template", "Resources", "E9001", "a literal name")


@pytest.fixture
def linted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The calls of cfn-lint, which finds what says `fault`; what was clean is noted in a folder apart."""
    calls: list[Any] = []
    mark = repository_templates.mark

    def lint(judged: Any, *, regions: tuple[str, ...]) -> list[Finding]:
        calls.append((sorted(judged), regions))
        return [FAULT for template in judged.values() if "fault" in template]

    monkeypatch.setattr(templates, "lint", lint)
    monkeypatch.setattr(
        repository_templates, "mark", lambda judged, region: mark(judged, region, tmp_path / "lint")
    )
    return calls


def test_what_was_clean_is_not_judged_again_and_what_was_not_is(linted: list[Any]) -> None:
    clean: dict[str, Any] = {"one": {"Resources": {}}}
    for _ in range(2):
        assert repository_templates.judged(clean, "eu-central-1") == []
    assert linted == [(["one"], ("eu-central-1",))]
    # Another region, another template and a fault are other questions, and a fault stays one.
    assert repository_templates.judged(clean, "eu-west-1") == []
    faulty = clean | {"two": {"Resources": {}, "fault": 1}}
    for _ in range(2):
        assert repository_templates.judged(faulty, "eu-central-1") == [FAULT]
    assert linted[1:] == [
        (["one"], ("eu-west-1",)),
        (["one", "two"], ("eu-central-1",)),
        (["one", "two"], ("eu-central-1",)),
    ]


def test_which_account_a_template_names_makes_no_difference(tmp_path: Path) -> None:
    def noted(text: str) -> Path:
        return repository_templates.mark({"one": {"text": text}}, "eu-central-1", tmp_path)

    assert noted("role of 111122223333") == noted("role of 444455556666")
    assert noted("role of 111122223333") != noted("group of 111122223333")
    assert noted("1.111122223333") != noted("1.444455556666")


def test_every_environment_and_the_tools_are_linted_by_their_names(linted: list[Any]) -> None:
    assert repository_templates.names() == [*schema.names(), "pipelines"]
    prod, region = repository_templates.by_label("prod")
    assert (sorted(prod), region) == (["prod/network", "prod/payments"], schema.load("prod").region)
    of_tools, place = repository_templates.by_label("pipelines")
    bootstraps = [f"bootstrap/{name}" for name in ("branch", "prod", "staging")]
    assert (sorted(of_tools), place) == ([*bootstraps, "docs", "pipelines"], tools.load().region)
    assert all(template["Resources"] for template in (prod | of_tools).values())
    assert repository_templates.findings("pipelines") == []
    assert [labels for labels, _ in linted] == [sorted(of_tools)]
