"""Settlement: enters what happened into the ledger, and takes away the records of orders that are over.

Starts every minute and asks the data API for one page after another until nothing is due. A page finds
nothing to do the second time, so a run may be stopped, repeated, and overlap the next one; what it left is
what the next one begins with. It calls the data API's function as operators do, with the event that API
Gateway would send.
"""

from __future__ import annotations

from templates.definitions.tasks import FORWARD_RETRY, State, choice, invoke, jsonata

BEGIN = "Begin"
SETTLE = "Settle a page"
ANSWERED = "Was it answered?"
SMALLER = "Take a smaller page"
MORE = "Is more due?"
PROVEN = "Do all records fit?"
SETTLED = "Settled"
BEHIND = "Settlement is behind"
UNFIT = "Some records do not fit"

FUNCTION = "DataApiVersion"
"""The substitution that holds the data API's version."""
PAGE = 200
"""Orders of a kind in one request, which has two seconds; fewer once a request failed."""
PAGES = 300
"""At most in one execution: its history stays below 25,000 events (Step Functions quotas)."""
_TRIES = 8


def definition() -> State:
    """Return the definition; the input is not read."""
    return {
        "Comment": "Enters orders into the ledger and prunes the records of those that are over",
        "QueryLanguage": "JSONata",
        "StartAt": BEGIN,
        "States": {
            BEGIN: {
                "Type": "Pass",
                "Assign": {
                    "after": "",
                    "limit": PAGE,
                    "pages": 0,
                    "failed": 0,
                    "settled": 0,
                    "disputed": 0,
                },
                "Next": SETTLE,
            },
            SETTLE: _settle(),
            ANSWERED: choice({"$states.input.status = 200": MORE}, SMALLER),
            MORE: choice({f"$more and $pages < {PAGES}": SETTLE, "$more": BEHIND}, PROVEN),
            PROVEN: choice({"$disputed = 0": SETTLED}, UNFIT),
            SMALLER: choice({f"$failed < {_TRIES}": "Wait a moment"}, BEHIND),
            "Wait a moment": {"Type": "Wait", "Seconds": 1, "Next": SETTLE},
            SETTLED: {"Type": "Succeed", "Output": {"settled": jsonata("$settled")}},
            BEHIND: {
                "Type": "Fail",
                "Error": "SettlementBehind",
                "Cause": jsonata(
                    "'orders are left after ' & $string($pages) & ' page(s); the next run goes on'"
                ),
            },
            UNFIT: {
                "Type": "Fail",
                "Error": "SettlementDisputed",
                "Cause": jsonata("$string($disputed) & ' order(s) have records that do not fit; reconcile'"),
            },
        },
    }


def _settle() -> State:
    body = "$string($merge([{'limit': $limit}, $after = '' ? {} : {'after': $after}]))"
    event = {
        "resource": "/{proxy+}",
        "path": "/settlement",
        "httpMethod": "PUT",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "body": jsonata(body),
        "isBase64Encoded": False,
    }
    answer = "$states.result.Payload"
    page = f"({answer}.statusCode = 200 ? $parse({answer}.body) : {{'settled': 0, 'disputed': 0}})"
    ok = f"{answer}.statusCode = 200"
    return invoke(
        FUNCTION,
        event,
        Retry=[FORWARD_RETRY],
        Assign={
            "pages": jsonata("$pages + 1"),
            "failed": jsonata(f"{ok} ? 0 : $failed + 1"),
            "limit": jsonata(f"{ok} ? $limit : $max([1, $floor($limit / 4)])"),
            "settled": jsonata(f"$settled + {page}.settled"),
            "disputed": jsonata(f"$disputed + {page}.disputed"),
            "more": jsonata(f"$exists({page}.next)"),
            "after": jsonata(f"$exists({page}.next) ? {page}.next : $after"),
        },
        Next=ANSWERED,
    ) | {"Output": {"status": jsonata(f"{answer}.statusCode")}}
