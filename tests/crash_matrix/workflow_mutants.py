"""What the money path is when the workflow's definition or the client gets an error wrong."""

from collections.abc import Callable
from typing import Any

from templates.definitions.payment_workflow import (
    CHARGE,
    DELIVER,
    FAILED,
    RECORD,
    REFUND,
    RELEASE,
    RESERVE,
    UNDONE,
)
from tests.crash_matrix.mutants import LEFT_CHARGE, LEFT_HOLDS
from tests.crash_matrix.mutations import Edit, Mutant

Definition = dict[str, Any]
_SEND = "payment_data.connections:ConnectionPool.request"
_LOST = ("response lost", "lands after the end", "freezes before, resumes after the end")


def _retry(state: str, *errors: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        names = definition["States"][state]["Retry"][0]["ErrorEquals"]
        definition["States"][state]["Retry"][0]["ErrorEquals"] = [*names, *errors]

    return change


def _never_retry(*states: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        for state in states:
            del definition["States"][state]["Retry"]

    return change


def _unknown_not_retried(definition: Definition) -> None:
    for state in (RESERVE, CHARGE, DELIVER):
        for rule in definition["States"][state]["Retry"]:
            rule["ErrorEquals"] = [
                e for e in rule["ErrorEquals"] if e not in ("OutcomeUnknown", "States.Timeout")
            ]


def _last_catch(state: str, **changes: Any) -> Callable[[Definition], None]:
    """Change the catch of everything else; no changes take it out."""

    def change(definition: Definition) -> None:
        catchers = definition["States"][state]["Catch"]
        assert catchers[-1]["ErrorEquals"] == ["States.ALL"], state
        if not changes:
            catchers.pop()
        for name, value in changes.items():
            catchers[-1][name] = value

    return change


def _never_park(definition: Definition) -> None:
    definition["States"][UNDONE]["Default"] = FAILED


WORKFLOW = (
    Mutant("a business error is not retried", ("out of stock",), definition=_retry(RESERVE, "OutOfStock")),
    Mutant("a decline is not retried", ("declined",), definition=_retry(CHARGE, "PaymentDeclined")),
    Mutant("not everything is retried", ("delivery refused",), definition=_retry(DELIVER, "States.ALL")),
    Mutant("an unknown outcome is retried", ("happy",), definition=_unknown_not_retried, kinds=_LOST),
    Mutant("forward steps are retried", ("happy",), definition=_never_retry(RESERVE, CHARGE, DELIVER)),
    Mutant(
        "an undo is retried", ("delivery refused",), definition=_never_retry(REFUND, RELEASE), sites=REFUND
    ),
    Mutant("a failure's record is retried", ("declined",), definition=_never_retry(RECORD), sites=RECORD),
    Mutant("an unknown reservation is undone", ("happy",), definition=_last_catch(RESERVE), sites=RESERVE),
    Mutant("an unknown charge is undone", ("happy",), definition=_last_catch(CHARGE), sites=CHARGE),
    Mutant("an unknown delivery is undone", ("happy",), definition=_last_catch(DELIVER), sites=DELIVER),
    Mutant(
        "a charge that timed out is not taken for failed, or returned when the order fails",
        ("happy",),
        (LEFT_CHARGE,),
        definition=_last_catch(CHARGE, Next=RELEASE),
        sites=CHARGE,
    ),
    Mutant(
        "a failed refund does not skip the release",
        ("delivery refused",),
        definition=_last_catch(REFUND, Next=RECORD),
        sites=REFUND,
    ),
    Mutant(
        "a failed refund parks the order, and a charge left over is returned",
        ("delivery refused",),
        (LEFT_CHARGE,),
        definition=_last_catch(REFUND, Assign={"compensated": True}),
        sites=REFUND,
    ),
    Mutant(
        "a failed release parks the order, and what it left is voided when the order fails",
        ("delivery refused",),
        (LEFT_HOLDS,),
        definition=_last_catch(RELEASE, Assign={"compensated": True}),
        sites=RELEASE,
    ),
    Mutant(
        "why a refund failed is recorded",
        ("delivery refused",),
        definition=_last_catch(REFUND, Assign={"compensated": False}),
        sites=REFUND,
    ),
    Mutant(
        "why a release failed is recorded",
        ("delivery refused",),
        definition=_last_catch(RELEASE, Assign={"compensated": False}),
        sites=RELEASE,
    ),
    Mutant(
        "the history says what could not be undone",
        ("delivery refused",),
        (Edit("data_api.use_cases.record_failure:_park", " or reason", " and reason"),),
        sites=REFUND,
    ),
    Mutant("what is not undone is parked", ("delivery refused",), definition=_never_park, sites=REFUND),
)

CLIENT = (
    Mutant(
        "a server error is an unknown outcome",
        ("happy",),
        (
            Edit(
                "payment_data.api_requests:_problem",
                "OutcomeUnknown(detail) if status >= 500 else",
                "UnexpectedResponse(detail) if status >= 500 else",
            ),
        ),
    ),
    Mutant(
        "a time-out is not an answer",
        ("happy",),
        (
            Edit(
                "payment_data.connections:ConnectionPool.request",
                "raise OutcomeUnknown(",
                "raise TimeoutError(",
            ),
        ),
    ),
    Mutant(
        "a time-out is not a decline",
        ("happy",),
        (
            Edit(
                "payment_data.connections:ConnectionPool.request",
                "raise OutcomeUnknown(",
                'raise __import__("payment_data.errors").errors.PaymentDeclined(',
            ),
        ),
        sites=CHARGE,
    ),
)
