"""What a page says is always or never so names the tests that would fail if it were not."""

from __future__ import annotations

import re
from typing import Final

import pytest

from pipelines.core.repository import ROOT
from tests.pipelines.test_security_claims import PAGES, assert_there, blocks

_ABSOLUTE: Final = re.compile(r"\b(always|never|prove[ns]?|guarantee[sd]?|at most once)\b", re.IGNORECASE)
_DEFINITIONS, _PROMOTION = "tests/pipelines/definitions", "tests/pipelines/promotion"
_DATA_API, _TEMPLATES = "tests/integration/data_api", "tests/templates"
_GATEWAY, _IMPORTS = (
    "tests/integration/card_gateway",
    "tests/pipelines/import_contracts/test_import_contracts.py",
)
_ONE_ACCOUNT: Final = f"{_DEFINITIONS}/test_one_account.py::test_groupings_are_accepted_and_"
_SINGLE: Final = (
    "tests/crash_matrix/test_single_faults.py::test_every_guarantee_holds_whatever_goes_wrong_once_or_always"
)
_MUTANTS: Final = "tests/crash_matrix/test_mutants.py::test_every_protection_is_missed_by_some_cell"
_CONTRACTS: Final = f"{_IMPORTS}::test_a_forbidden_import_is_found_wherever_it_is_planted"
_SMOKE: Final = "tests/unit/lambdas/test_smoke.py::test_whatever_came_out_otherwise_fails_its_check"
_NO_PERSONAL_DATA: Final = f"{_DATA_API}/test_bad_requests.py::test_a_problem_names_no_personal_data"
_KEYS: Final = f"{_GATEWAY}/test_idempotency_keys.py::test_another_request_under_the_same_key_is_refused"
_INTENTS: Final = f"{_GATEWAY}/test_payment_intents.py"
_CONFIRMED: Final = f"{_INTENTS}::test_a_second_confirm_is_refused_and_shows_that_it_succeeded"
_FROM_A_VARIABLE: Final = (
    "tests/pipelines/branch_names/test_branch_names.py"
    "::test_the_name_comes_from_an_environment_variable_and_holds_nothing_a_shell_would_read"
)
_SAVED_FIRST: Final = (
    "tests/unit/lambdas/test_stripe_payment.py::test_a_charge_saves_the_payment_intent_before_it_confirms_it"
)
_WHAT_RUNS: Final = (
    "tests/rehearsal/test_running_stack.py::test_a_stack_that_was_tampered_with_is_not_what_staging_ran"
)
_PROVEN_FIRST: Final = (
    f"{_DEFINITIONS}/test_promotion.py"
    "::test_the_money_path_is_proven_beside_the_build_and_nothing_goes_on_without_it"
)
_IN_SHORT: Final = (
    "tests/pipelines/evidence/test_money_path.py"
    "::test_a_proof_in_short_is_never_fine_and_says_so_wherever_the_evidence_is_shown"
)
_ACCEPTED: Final = (
    "tests/proofs/test_acceptance.py::test_an_account_is_bootstrapped_released_to_rolled_back_and_empty_again"
)

CLAIMS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("README.md", "Orders are paid"): (_SINGLE, _MUTANTS),
    ("docs/decisions/alarm-evaluation.md", "**Context.**"): (
        f"{_TEMPLATES}/test_alarm_series.py::test_a_fault_rings_its_alarm_in_time_and_no_other",
    ),
    ("docs/decisions/code-signing.md", "**Context.**"): (_WHAT_RUNS,),
    ("docs/decisions/cold-start.md", "**Why.**"): (_NO_PERSONAL_DATA,),
    ("docs/decisions/docs-stack.md", "**Context.**"): (
        "tests/site/test_drift.py::test_the_docs_of_today_agree_with_the_code",
    ),
    ("docs/decisions/environments-as-data.md", "**Decision.**"): (
        f"{_ONE_ACCOUNT}their_templates_differ_in_account_numbers_alone",
    ),
    ("docs/decisions/environments-as-data.md", "**Consequences.**"): (
        "tests/unit/environments/test_schema.py::test_a_key_in_the_file_is_refused_and_never_repeated",
        "tests/unit/environments/test_schema.py::test_credentials_in_the_uri_are_refused_and_never_repeated",
    ),
    ("docs/decisions/execution-modes.md", "| branch"): (
        "tests/integration/codesuite/test_turns.py::test_pushes_to_two_branches_wait_for_nobody",
    ),
    ("docs/decisions/fault-injection.md", "**Decision.**"): (_SINGLE, _MUTANTS),
    ("docs/how-to/adopt.md", "The one way"): (_ACCEPTED,),
    ("docs/decisions/index.md", "- [Crashes are"): (_SINGLE,),
    ("docs/decisions/index.md", "- [A second build"): (_PROVEN_FIRST,),
    ("docs/decisions/proven-build.md", "**Consequences.**"): (_IN_SHORT,),
    ("docs/how-it-works/money.md", "The first runs"): (_PROVEN_FIRST,),
    ("docs/pipeline/build.md", "`Build` runs"): (_PROVEN_FIRST,),
    ("docs/pipeline/build.md", "- **MoneyPath.**"): (_PROVEN_FIRST,),
    ("docs/decisions/jsonata.md", "**Consequences.**"): (
        f"{_TEMPLATES}/test_payment_definition.py::test_any_input_at_all_reaches_the_first_step",
    ),
    ("docs/decisions/ledger-and-settlement.md", "**Consequences.**"): (
        f"{_DATA_API}/test_settlement.py::test_an_order_whose_legs_are_missing_is_not_settled",
        "tests/integration/reconciliation/test_corruptions.py::test_what_was_broken_is_named",
    ),
    ("docs/decisions/payment-keys.md", "**Why.**"): (_CONFIRMED, _SAVED_FIRST),
    ("docs/decisions/private-api.md", "**Why.**"): (_SINGLE, _MUTANTS),
    ("docs/decisions/rooms.md", "**Decision.**"): (_CONTRACTS,),
    ("docs/decisions/smoke-workflow.md", "**Why.**"): (_SMOKE,),
    ("docs/decisions/smoke-workflow.md", "**Consequences.**"): (
        f"{_DATA_API}/test_settlement.py::test_synthetic_orders_never_reach_the_ledger",
    ),
    ("docs/decisions/webhooks.md", "**Why.**"): (_SINGLE,),
    ("docs/how-it-works/data-api.md", "- **Errors are"): (_NO_PERSONAL_DATA,),
    ("docs/how-it-works/local-stripe.md", "| SEPA: why"): (
        f"{_GATEWAY}/test_contract.py::test_a_decline_has_a_reason_that_never_changes",
    ),
    ("docs/how-it-works/money.md", "2. Stock is"): (
        _SINGLE,
        f"{_DATA_API}/test_validators.py::test_what_is_not_whole_is_refused",
    ),
    ("docs/how-it-works/money.md", "3. An order is captured"): (_SINGLE, _MUTANTS),
    ("docs/how-it-works/money.md", "**Keys name"): (_KEYS,),
    ("docs/how-it-works/money.md", "**Every write"): (
        f"{_DATA_API}/test_late_handlers.py::test_a_reservation_that_lands_after_its_deadline_holds_nothing",
        f"{_DATA_API}/test_late_handlers.py::test_a_step_that_lands_after_the_orders_deadline_does_nothing",
    ),
    ("docs/how-it-works/money.md", "4. Confirm it."): (_CONFIRMED,),
    ("docs/how-it-works/money.md", "- **The crash matrix**"): (_SINGLE,),
    ("docs/how-it-works/money.md", "- **Mutants** prove"): (_MUTANTS,),
    ("docs/how-it-works/money.md", "| What | Runs"): (
        "tests/crash_matrix/test_report.py::test_the_docs_get_the_totals_and_the_digest_of_the_code_that_was_run",
    ),
    ("docs/how-it-works/order.md", "Somebody creates"): (
        "tests/rehearsal/test_happy_order.py::test_placing_an_order_twice_is_one_execution",
        f"{_DATA_API}/test_creation.py::test_an_orders_total_is_computed",
    ),
    ("docs/how-to/approve.md", "| look closely"): (
        "tests/pipelines/evidence/test_cases.py::test_what_is_unknown_is_never_fine_and_is_named",
    ),
    ("docs/how-to/contribute.md", "`make lint` checks"): (_CONTRACTS,),
    ("docs/how-to/extend.md", "1. Write one module"): (
        f"{_GATEWAY}/test_contract.py::test_a_charge_that_comes_after_the_refund_does_nothing",
        "tests/properties/test_extending.py::test_what_is_forgotten_of_a_payment_method_fails_by_name",
    ),
    ("docs/index.md", "1. **No money"): (_SINGLE, _MUTANTS),
    ("docs/operations/doctor.md", "The function pings"): (_SMOKE,),
    ("docs/operations/runbooks/orders-failing.md", "- `OutOfStock`"): (
        "tests/unit/lambdas/test_step.py::test_an_answer_of_the_business_is_no_technical_failure",
        f"{_TEMPLATES}/test_alarm_series.py::test_what_is_no_fault_rings_nothing",
    ),
    ("docs/pipeline/approve.md", "| Review-network"): (
        f"{_DEFINITIONS}/test_promotion.py::test_the_approval_shows_evidence_of_a_change_set_that_is_never_executed",
    ),
    ("docs/pipeline/index.md", "| branch"): (
        f"{_DEFINITIONS}/test_promotion.py::test_the_branch_pipeline_builds_every_branch_but_main_side_by_side",
    ),
    ("docs/pipeline/index.md", "`payments pipeline deploy`"): (
        f"{_DEFINITIONS}/test_promotion.py::test_no_pipeline_deploys_pipelines",
    ),
    ("docs/pipeline/name.md", "**The condition"): (_FROM_A_VARIABLE,),
    ("docs/pipeline/production.md", "No condition stands"): (
        f"{_DEFINITIONS}/test_promotion.py::test_production_has_a_bake_and_a_way_back_that_no_condition_delays",
    ),
    ("docs/pipeline/production.md", "**Verify.**"): (
        f"{_PROMOTION}/test_records.py::test_a_rollback_is_about_the_release_that_it_goes_back_to",
        f"{_PROMOTION}/test_verification.py::test_a_prepared_change_set_that_nobody_reviewed_is_refused",
    ),
    ("docs/pipeline/production.md", "**Why required.**"): (_WHAT_RUNS,),
    ("docs/pipeline/remove.md", "**How staging"): (
        "tests/pipelines/branch_names/test_branch_names.py::test_no_environment_s_own_stack_may_ever_be_removed",
        f"{_DEFINITIONS}/test_least_privilege.py::test_the_removal_role_deletes_branch_stacks_and_does_nothing_else",
    ),
    ("docs/pipeline/smoke.md", "Proves a deployment"): (_SMOKE,),
    ("docs/pipeline/smoke.md", "**How.**"): (
        f"{_DATA_API}/test_settlement.py::test_synthetic_orders_never_reach_the_ledger",
    ),
    ("docs/reference/payment-workflow.md", "Asks whether"): (
        f"{_TEMPLATES}/test_payment_definition.py::test_a_failed_undo_never_skips_the_others_and_is_remembered",
    ),
    ("docs/reference/smoke-workflow.md", "[Proves a deployment]"): (_SMOKE,),
    ("docs/reference/stack-payments.md", "The stack's own name"): (
        "tests/rehearsal/test_stacks.py::test_two_branches_live_side_by_side_in_one_network",
    ),
    ("docs/start/break-it.md", "The command ends"): (
        f"{_TEMPLATES}/test_payment_definition.py::test_every_task_retries_what_was_not_applied_or_is_unknown_and_nothing_else",
        "tests/rehearsal/test_command_line.py::test_placing_an_order_that_fails_ends_with_1_and_says_why",
    ),
}
_NO_CLAIM: Final = frozenset(
    {
        ("docs/decisions/fault-injection.md", "**Options.**"),
        ("docs/decisions/uv.md", "**Consequences.**"),
        ("docs/how-it-works/embedded-aws.md", "IAM policies of users"),
        ("docs/how-it-works/limits.md", "| MongoDB 7"),
        ("docs/how-it-works/not-emulated.md", "It answers the part"),
        ("docs/how-it-works/not-emulated.md", "| on AWS"),
        ("docs/how-it-works/payment-methods.md", "The smoke workflow pays"),
        ("docs/operations/disaster-recovery.md", "The system runs in one"),
        ("docs/operations/runbooks/orders-throttled.md", "- One state machine"),
        ("docs/operations/supplies.md", "The ids are Stripe's"),
        ("docs/pipeline/docs-preview.md", "**When it fails.**"),
        ("docs/pipeline/index.md", "`payments lint` finds"),
        ("docs/start/five-minutes.md", "The summary at the end"),
        ("docs/start/repository.md", "Generated and never"),
    }
)
"""Advice to readers, names of options, and sentences that say of others, or where something is proven."""


def _absolute(page: str) -> list[str]:
    """Return each block of a page that says always, never, at most once or proven."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block for block in blocks(text) if _ABSOLUTE.search(block) and not block.startswith("#")]


def _pages() -> list[str]:
    written = (file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md"))
    return ["README.md", *sorted(page for page in written if page not in PAGES)]


@pytest.mark.parametrize("page", _pages())
def test_what_a_page_says_absolutely_names_the_tests_that_show_it(page: str) -> None:
    openings = [opening for where, opening in (*CLAIMS, *_NO_CLAIM) if where == page]
    claims = _absolute(page)
    for claim in claims:
        assert [opening for opening in openings if claim.startswith(opening)], f"{page}: {claim}"
    for opening in openings:
        assert any(claim.startswith(opening) for claim in claims), f"{page} says this no more: {opening}"


def test_the_tests_that_a_claim_names_are_there() -> None:
    named = {test for tests in CLAIMS.values() for test in tests}
    assert all("::" in test for test in named)
    assert_there(named)
