"""Glob patterns and deployment windows."""

from datetime import UTC, datetime

import pytest

from embedded_aws.codepipeline.rules import providers
from embedded_aws.core import globs


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
        ("main", "main", True),
        ("main", "maintenance", False),
        ("feature*", "feature-1", True),
        ("feature*", "feature/1", False),
        ("feature/**", "feature/a/b", True),
        ("**", "any/thing", True),
        ("v?.{0,1}", "v2.1", True),
        ("v?.{0,1}", "v2.3", False),
        ("**/*.md", "README.md", True),
        ("**/*.md", "docs/a/b.md", True),
        ("docs/**", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("a+b", "aab", False),
    ],
)
def test_a_glob_matches_whole_names(pattern: str, name: str, *, matches: bool) -> None:
    assert globs.matches(pattern, name) == matches


# A Tuesday.
_MOMENT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "inside"),
    [
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
        ("* * * * * ?", True),
        ("* * 9-16 ? * TUE-THU", True),
        ("* * 9-16 ? * FRI,SAT", False),
        ("* * 11-16 ? * *", False),
        ("* 0/15 10 * NOV ?", True),
        ("* 0/7 10 * NOV ?", False),
        ("* * * 24 11 ? 2026", True),
        ("* * * 24 11 ? 2027", False),
        ("* * * ? * 3", True),
    ],
)
def test_a_window_is_open_when_every_field_agrees(expression: str, *, inside: bool) -> None:
    assert providers.cron_matches(expression, _MOMENT) == inside


@pytest.mark.parametrize("expression", ["* * *", "0 * * * * ?", "* 99 * * * ?", "* * * L * ?"])
def test_a_window_that_is_not_understood_is_told(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fields|seconds|number"):
        providers.cron_matches(expression, _MOMENT)
