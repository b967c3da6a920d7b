"""What the pages about security and supply chain say is what tests show: each statement names those."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEFINITIONS, _PROMOTION = "tests/pipelines/definitions", "tests/pipelines/promotion"
_LEAST, _ZONES = f"{_DEFINITIONS}/test_least_privilege.py::test_", f"{_DEFINITIONS}/test_zones.py::test_"
_AUDIT: Final = "tests/pipelines/supply_chain/test_audit.py::test_"
_PAYMENTS, _ROLES = (
    "tests/templates/test_payments.py::test_",
    "tests/integration/embedded/test_stack_roles.py::test_",
)
_PROVENANCE: Final = f"{_PROMOTION}/test_provenance.py::test_"
_OPEN: Final = (f"{_AUDIT}it_may_stay_unchecked_only_where_that_was_said_and_is_still_told",)
_REASONS: Final = (f"{_AUDIT}our_code_is_clean_and_every_exception_says_why",)
_CHECKOV: Final = (
    f"{_AUDIT}what_checkov_finds_unexplained_in_a_template_is_found_and_not_asked_again_once_it_is_clean",
)
_SIGNED: Final = (f"{_PROVENANCE}the_statement_has_the_form_of_in_toto_and_slsa",)

SECURITY: Final = {
    "- **Every function has a role of its own**": (
        f"{_PAYMENTS}every_function_has_a_role_of_its_own",
        f"{_PAYMENTS}a_function_may_ask_the_data_api_exactly_what_its_table_says",
        "tests/templates/test_invariants.py::test_a_statement_on_everything_says_why",
    ),
    "- **Pipelines hold no long-lived": (
        f"{_LEAST}only_branch_stacks_can_be_deleted",
        f"{_LEAST}pass_role_names_its_roles_and_who_they_are_passed_to",
    ),
    "- **Two boundaries": (
        f"{_ROLES}a_role_that_claims_everything_can_do_no_more_than_its_boundary",
        f"{_ROLES}a_branch_cannot_make_what_would_widen_it",
        f"{_LEAST}every_role_of_a_target_account_is_bounded",
        f"{_LEAST}a_bounded_template_has_the_boundary_on_every_role",
    ),
    "- **A branch cannot touch the network**": (
        f"{_LEAST}cloudformation_may_do_what_the_types_that_pipelines_deploy_need_and_nothing_else",
    ),
    "- **Branches and releases": (
        f"{_ZONES}no_release_reads_what_a_branch_can_write",
        f"{_ZONES}no_branch_touches_what_releases_keep",
        "tests/hostile/test_policies.py::test_the_zones_share_no_project_store_cache_or_log",
    ),
    "- **No permission is dead": (
        "tests/least_privilege/test_every_role.py::test_no_permission_is_dead",
        "tests/least_privilege/test_every_role.py::test_no_call_of_any_role_was_refused",
        "tests/rehearsal/test_permissions.py::test_no_permission_is_dead",
    ),
    "- **Removal is a role": (
        f"{_LEAST}the_removal_role_deletes_branch_stacks_and_does_nothing_else",
        "tests/pipelines/branch_names/test_branch_names.py::test_no_environment_s_own_stack_may_ever_be_removed",
    ),
    "- **MongoDB is reached": (
        f"{_PAYMENTS}only_the_data_api_knows_the_database",
        "tests/unit/environments/test_schema.py::test_production_needs_tls_and_authentication",
        "tests/templates/test_password.py::test_the_secrets_endpoint_answers_privately_and_for_this_one_secret",
    ),
    "There is one, with Stripe": (
        f"{_PAYMENTS}only_functions_that_pay_by_stripe_may_read_its_key_and_no_other_secret",
        "tests/unit/environments/test_schema.py::test_a_key_in_the_file_is_refused_and_never_repeated",
    ),
    "Tests plant": (
        "tests/least_privilege/test_nothing_secret.py::test_nothing_secret_or_personal_is_left_behind",
    ),
    "| logs, functions'": (
        f"{_PAYMENTS}every_function_is_traced_encrypted_and_logs_to_a_group_of_its_own",
        "tests/templates/test_network.py::test_the_key_rotates_and_serves_log_groups_of_this_account_only",
    ),
    "| artifacts, packages": (
        f"{_ZONES}a_zone_keeps_the_other_zone_s_roles_out_also_where_one_account_is_both",
    ),
    "| library, approvals": (f"{_ZONES}no_branch_touches_what_releases_keep",),
    "| requests": ("tests/templates/test_docs.py::test_every_bucket_refuses_plain_http",),
    "Logs hold ids": (f"{_PAYMENTS}state_machines_are_traced_and_log_no_execution_data",),
    "- A branch's name": (
        f"{_DEFINITIONS}/test_buildspecs.py::test_no_command_holds_what_people_choose",
        f"{_DEFINITIONS}/test_promotion.py::test_the_condition_lets_branches_through",
    ),
    "- The library comes": (
        f"{_PROMOTION}/test_library.py::test_a_library_that_nobody_published_is_refused",
        f"{_PROMOTION}/test_library.py::test_a_library_that_is_not_of_this_source_is_refused_whatever_built_it",
    ),
    "- Production runs": (
        f"{_ZONES}only_publish_writes_packages_of_releases_and_signs",
        f"{_PROMOTION}/test_changed_bytes.py::test_any_changed_byte_of_a_stored_package_is_found",
        "tests/rehearsal/test_running_stack.py::test_a_stack_that_was_tampered_with_is_not_what_staging_ran",
        "tests/hostile/attack/test_live_release.py::test_a_changed_byte_is_found_or_was_never_read",
        "tests/hostile/attack/test_live_release.py::test_production_goes_back_to_what_it_ran",
        "tests/hostile/attack/test_every_protection.py::test_taking_a_protection_away_is_noticed",
    ),
}
SUPPLY_CHAIN: Final = {
    "`make audit`": (f"{_AUDIT}a_check_that_nobody_knows_is_refused",),
    "| `locks`": (f"{_AUDIT}our_locks_name_a_digest_for_every_file_and_are_those_of_their_projects",),
    "| `contents`": (f"{_AUDIT}a_package_whose_list_leaves_something_out_is_found",),
    "| `licences`": (f"{_AUDIT}a_licence_is_allowed_by_what_it_asks_of_whoever_ships_or_uses",),
    "| `secrets`": (f"{_AUDIT}a_secret_in_a_file_is_found_and_its_value_is_kept_nowhere",),
    "| `history`": (f"{_AUDIT}a_secret_that_was_removed_is_still_in_the_history",),
    "| `code`": (f"{_AUDIT}what_is_unsafe_and_an_exception_without_a_reason_are_found",),
    "| `advisories`": (f"{_AUDIT}a_known_vulnerability_is_found",),
    "| `templates`": _CHECKOV,
    "Each writes": (f"{_AUDIT}what_was_found_fails_the_audit_even_where_it_might_have_stayed_unchecked",),
    "Such a check says": (
        f"{_AUDIT}a_check_that_could_not_look_fails_the_audit_and_says_so",
        f"{_AUDIT}a_service_that_does_not_answer_has_found_nothing_and_checked_nothing",
    ),
    "| on your machine": _OPEN,
    "| a build in CodeBuild": _OPEN,
    "| a build on the embedded AWS": _OPEN,
    "Each has a reason": _REASONS,
    "| a rule of checkov's": _CHECKOV,
    "| a security rule": _REASONS,
    "| a licence": (f"{_AUDIT}a_licence_is_read_from_what_a_package_says",),
    "| an advisory": (f"{_AUDIT}a_known_vulnerability_is_found",),
    "| what looks like": (f"{_AUDIT}everything_that_is_no_secret_says_why",),
    "The provenance statement": _SIGNED,
    "| `externalParameters": _SIGNED,
    "| `internalParameters": _SIGNED,
    "| `resolvedDependencies`": _SIGNED,
    "| `runDetails": _SIGNED,
    "| `subject`": (f"{_PROMOTION}/test_signing.py",),
    "To build the same": (
        "tests/pipelines/test_packaging.py::test_two_builds_with_nothing_cached_do_not_differ",
    ),
}
CHECKED_ONCE: Final = {
    "**Context.**": (f"{_DEFINITIONS}/test_promotion.py::test_staging_and_production_get_the_same_packages",),
    "**Options.**": (f"{_PROMOTION}/test_check_cache.py",),
    "**Decision.**": (
        f"{_PROMOTION}/test_check_cache.py::test_the_same_source_is_checked_once_and_its_reports_are_there_again",
        f"{_PROMOTION}/test_check_cache.py::test_another_source_is_checked_for_itself",
    ),
    "**Why.**": (f"{_PROMOTION}/test_check_cache.py::test_a_release_takes_no_record_that_a_branch_made",),
    "**Consequences.**": (
        f"{_PROMOTION}/test_check_cache.py::test_what_failed_is_checked_again",
        "tests/pipelines/evidence/test_shown.py::test_it_says_which_tests_ran_and_which_do_not_in_a_build",
    ),
}
PAGES: Final = {
    "docs/how-it-works/security.md": SECURITY,
    "docs/how-it-works/supply-chain.md": SUPPLY_CHAIN,
    "docs/decisions/checked-once.md": CHECKED_ONCE,
}
_NO_STATEMENT: Final = re.compile(
    r"Who may do what, what is encrypted|Found a real secret|\*\*Reopen when|\d{4}-\d\d-\d\d|#|"
    r"\| (what \| encrypted|check \| asks|where \| may|of \| stand|field \| what)|[|: -]+$"
)
"""Introductions, advice, dates, headings, and the first two rows of a table."""
_LEFT_TO_READERS: Final = "## What is left to you"


def blocks(text: str) -> list[str]:
    """Return each paragraph, bullet, point and table row, on one line."""
    lines = (" ".join(block.split()) for block in re.split(r"\n\n|\n(?=- |\| |\d\. )", text))
    return [line for line in lines if line]


def statements(page: str) -> list[str]:
    """Return each block of a page that states something."""
    text = (ROOT / page).read_text(encoding="utf-8").partition(_LEFT_TO_READERS)[0]
    return [block for block in blocks(text) if not _NO_STATEMENT.match(block)]


def assert_there(tests: Iterable[str]) -> None:
    """Fail unless each of the tests, `file::name` or a file of tests, is there."""
    for test in sorted(set(tests)):
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text if name else "def test_" in text, test


@pytest.mark.parametrize("page", PAGES)
def test_every_statement_names_the_tests_that_show_it(page: str) -> None:
    openings = PAGES[page]
    for statement in statements(page):
        assert [opening for opening in openings if statement.startswith(opening)], statement
    for opening in openings:
        assert any(statement.startswith(opening) for statement in statements(page)), opening


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_statement_names_are_there(page: str) -> None:
    assert_there(test for tests in PAGES[page].values() for test in tests)
