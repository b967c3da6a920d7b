"""No error that the code can raise is missing: from the table, or from the definition."""

import ast
from pathlib import Path
from typing import Any, Final

import pytest

from payment_data import error_names
from payment_data.errors import BY_NAME, Kind
from templates.definitions.payment_workflow import CHARGE, PARKED, RECORD, REFUND, definition
from tests.properties import raised

INTERNAL: Final = {
    "ValueError": "a mistake in the code, or caught where it is raised: States.ALL compensates",
    "_AmbiguousError": "becomes MalformedRequest in the same module",
    "NotChargeable": "an amount that the gateway does not take; becomes PaymentDeclined",
    "Disputed": "a refund that the gateway refuses; caught, and the dispute is taken for it",
    "KeySpent": "the gateway repeats an old answer; caught, and asked with another key",
    "Refused": "the gateway's answer at creation; becomes PaymentDeclined",
    "UnknownPaymentMethod": "fails the function's start, hence its deployment: nothing has happened yet",
    "SecretMalformed": "fails the function before its first request: the secret is not one of a login",
    "ServerTooOld": "fails the data API's function at its start: none of that age was ever tried",
    "AmountError": "the command line's, where major units are parsed",
}
"""What is raised and never reaches a workflow by that name, and why."""
_DERIVED: Final = {"ValueError", "SecretMalformed", "ServerTooOld"}
"""Of those, the ones that are not directly an `Exception` of ours."""
BASES: Final = {base.__mro__[1].__name__ for base in BY_NAME.values()} | {"Problem"}
TASKS: Final = {name: state for name, state in definition()["States"].items() if state["Type"] == "Task"}
UNCATCHABLE: Final = ("States.Runtime", "States.DataLimitExceeded")
LAST: Final = (RECORD, PARKED)
"""Where there is nothing left to fall back on: the execution stops here, and a redrive goes on."""


@pytest.fixture(scope="module")
def modules() -> dict[Path, ast.Module]:
    return raised.everything()


def test_every_class_that_is_raised_is_in_the_table_or_stays_inside(modules: Any) -> None:
    # When
    found = {one.name: one.where for one in raised.raised(modules) if one.is_class}
    # Then
    assert {name: where for name, where in found.items() if name not in {*BY_NAME, *INTERNAL}} == {}
    assert set(INTERNAL) <= set(found), "an exception is listed that is raised no more"


def test_every_function_whose_result_is_raised_returns_a_problem(modules: Any) -> None:
    for one in raised.raised(modules):
        if not one.is_class:
            told = raised.results(modules, one)
            assert told, one
            for result in told:
                assert any(name in result.split(" | ") for name in {*BASES, *BY_NAME}), (one, result)


def test_every_class_of_errors_that_is_defined_is_in_the_table(modules: Any) -> None:
    assert set(raised.classes(modules)) == {*BY_NAME, *BASES, *INTERNAL} - _DERIVED


def test_no_error_of_the_table_is_idle(modules: Any) -> None:
    assert raised.made(modules) == set(BY_NAME)


def _answer(state: dict[str, Any], error: str) -> str:
    """Say what a state does about an error, first match wins, as Step Functions does."""
    for retry in state.get("Retry", []):
        if error in retry["ErrorEquals"] or "States.ALL" in retry["ErrorEquals"]:
            return "retry"
    for catch in state.get("Catch", []):
        if error in catch["ErrorEquals"] or "States.ALL" in catch["ErrorEquals"]:
            return f"catch: {catch['Next']}"
    return "stop"


@pytest.mark.parametrize("state", TASKS)
@pytest.mark.parametrize("error", [*BY_NAME, "Exception", "Lambda.Whatever", *error_names.RETRIED_ERRORS])
def test_every_state_does_about_every_error_what_its_kind_says(state: str, error: str) -> None:
    # Given what the table says of an error; one that nobody has heard of is a contract broken
    kind = BY_NAME[error].kind if error in BY_NAME else Kind.CONTRACT
    retried = error in error_names.RETRIED_ERRORS or (kind is Kind.PENDING and state in (CHARGE, REFUND))
    # When
    answer = _answer(TASKS[state], error)
    # Then it is retried, or goes the way back, and is never lost
    if retried:
        assert answer == "retry"
    elif (state, error) == (RECORD, "PaymentNotUndone"):
        assert answer == f"catch: {REFUND}"
    else:
        assert answer == "stop" if state in LAST else answer.startswith("catch: ")


@pytest.mark.parametrize("state", sorted(set(TASKS) - set(LAST)))
def test_what_is_retried_in_vain_goes_the_way_back(state: str) -> None:
    everything = TASKS[state]["Catch"][-1]
    assert everything["ErrorEquals"] == ["States.ALL"]
    assert not {name for c in TASKS[state]["Catch"] for name in c["ErrorEquals"]} & set(UNCATCHABLE)


def test_what_is_named_exists() -> None:
    named = {
        name
        for state in TASKS.values()
        for entry in (*state["Retry"], *state.get("Catch", []))
        for name in entry["ErrorEquals"]
    }
    assert named <= {
        *BY_NAME,
        *error_names.RETRIED_ERRORS,
        *error_names.PENDING_ERRORS,
        "States.ALL",
    }
    assert {*error_names.RETRIED_ERRORS, *error_names.PENDING_ERRORS} <= named
