"""Any branch that git allows gets a legal, bounded name of its own."""

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from environments import schema
from pipelines.core import branch_names
from pipelines.core.refusals import Refused

_FORBIDDEN = set(" ~^:?*[\\\x7f") | {chr(code) for code in range(32)}
_SHELL = "$(reboot)", "`id`", "a;rm${IFS}-rf", "x|y&z", "'quoted'", '"quoted"', "-rf", "{a,b}"


def git_legal(name: str) -> bool:
    """The rules of git-check-ref-format."""
    parts = name.split("/")
    return (
        not _FORBIDDEN & set(name)
        and ".." not in name
        and "@{" not in name
        and name != "@"
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )


BRANCHES = st.one_of(
    st.text(min_size=1, max_size=250),
    st.text(alphabet=string.ascii_letters + "/-_.#", min_size=1, max_size=250),
    st.text(alphabet="🚀🔥é漢ß/-a", min_size=1, max_size=250),
).filter(git_legal)


@given(branch=BRANCHES)
@example(branch="🚀" * 250)
@example(branch="feature/" + "x" * 242)
@example(branch="1")
def test_any_branch_gets_a_legal_and_bounded_stack_name(branch: str) -> None:
    name = branch_names.stack_name(branch)

    assert re.fullmatch(r"[a-z][a-z0-9-]{0,37}", name)
    assert "--" not in name
    assert not name.endswith("-")


@given(branches=st.lists(BRANCHES, min_size=2, max_size=20, unique=True))
@example(branches=["feature/a", "feature-a", "Feature/a", "feature/a-", "FEATURE/A"])
@example(branches=["é", "e\u0301", "e", "\udce9"])
@example(branches=["x" * 249, "x" * 250])
def test_different_branches_get_different_names(branches: list[str]) -> None:
    assert len({branch_names.stack_name(branch) for branch in branches}) == len(branches)


@given(branch=BRANCHES)
def test_a_branch_s_stack_may_be_removed(branch: str) -> None:
    name = branch_names.stack_name(branch)

    assert branch_names.removable(name) == name


@pytest.mark.parametrize("environment", schema.names())
def test_no_environment_s_own_stack_may_ever_be_removed(environment: str) -> None:
    # Given the stacks that releases make
    loaded = schema.load(environment)

    # When their removal is asked for, then it is refused
    for stack in (loaded.default_stack, loaded.network_stack):
        with pytest.raises(branch_names.NotABranchStack):
            branch_names.removable(stack)


@given(stack=st.text(max_size=60))
@example(stack="payments-prod")
@example(stack="branch-")
@example(stack="branch-payments-prod")
def test_what_is_not_shaped_like_a_branch_s_stack_is_not_removed(stack: str) -> None:
    assume(not re.fullmatch(r"branch-([a-z0-9][a-z0-9-]*-)?[a-z2-7]{10}", stack))

    with pytest.raises(branch_names.NotABranchStack):
        branch_names.removable(stack)


@given(branch=BRANCHES)
def test_no_branch_can_name_itself_into_another_environment(branch: str) -> None:
    taken = {schema.load(name).default_stack for name in ("staging", "prod")}

    assert branch_names.stack_name(branch) not in taken


@pytest.mark.parametrize("branch", _SHELL)
def test_the_name_comes_from_an_environment_variable_and_holds_nothing_a_shell_would_read(
    branch: str,
) -> None:
    name = branch_names.from_environment({"BRANCH": branch})

    assert set(name) <= set(string.ascii_lowercase + string.digits + "-")


def test_a_missing_branch_is_refused_with_the_variable_s_name() -> None:
    with pytest.raises(Refused) as refused:
        branch_names.from_environment({})

    assert "BRANCH" in refused.value.hint


def test_a_name_is_readable_and_never_changes() -> None:
    assert branch_names.stack_name("feature/Über-Cool_thing").startswith("branch-feature-uber-cool-")
    assert branch_names.stack_name("feature/login") == "branch-feature-login-356hv2zvmd"


def test_the_longest_name_is_used_whole() -> None:
    # Given a branch whose slug fills all that a stack's name leaves it
    name = branch_names.stack_name("a" * 60)
    # Then the name is as long as one may be, and is a branch's
    assert len(name) == branch_names.LONGEST
    assert branch_names.is_branch_stack(name)
    # And one character more is no branch's name any more
    assert not branch_names.is_branch_stack(name.replace("branch-a", "branch-aa"))
