"""Stripe in memory, so that a cell takes milliseconds and its clock is virtual: what a payment asks of it.

The contract that holds the local gateway and Stripe's test mode holds this one too (`test_stripe_double.py`).
https://docs.stripe.com/payments/paymentintents/lifecycle, https://docs.stripe.com/api/idempotent_requests
"""

import copy
import io
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Json]
GOOD = {"card": "pm_card_visa", "bank_account": "pm_success_de"}
BAD = {"card": "pm_card_chargeDeclinedInsufficientFunds", "bank_account": "pm_insufficientFunds_de"}
LATE = "pm_success_de_after_five_days"
"""A bank account whose debit succeeds after every execution has stopped asking for it."""
DISPUTED = "pm_card_createDispute"
"""A card whose bank takes the money back as soon as it was captured."""
_FIVE_DAYS = timedelta(days=5)
KEY_LIFE = timedelta(hours=24)
_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


class StripeDouble:
    """PaymentIntents, refunds and disputes of one account. It calls nobody: there are no webhooks.

    Args:
        now: tells the time.
        settles_after: how long a bank debit is `processing`.
    """

    def __init__(self, now: Callable[[], datetime], settles_after: timedelta) -> None:
        self._now = now
        self._settles_after = settles_after
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.intents: dict[str, Json] = {}
        self.refunds: list[Json] = []
        self.disputes: list[Json] = []
        self._settling: dict[str, datetime] = {}
        self._answers: dict[str, tuple[datetime, str, Answer]] = {}

    def saved(self) -> bytes:
        """Write down everything; what is alike is written alike.

        Keys that the client makes up are for requests on their way, and nothing is on its way now.
        """
        answers = {key: answer for key, answer in self._answers.items() if ":" in key}
        kept = (self.intents, self.refunds, self.disputes, self._settling, answers)
        if not any(kept):
            return b""
        written = io.BytesIO()
        pickler = pickle.Pickler(written)
        pickler.fast = True  # no references, which tell apart what is the same object from what is equal
        pickler.dump(kept)
        return written.getvalue()

    def put_back(self, saved: bytes) -> None:
        """Make everything as it was written down."""
        self.clear()
        if saved:
            kept = pickle.loads(saved)  # noqa: S301 - our own
            self.intents, self.refunds, self.disputes, self._settling, self._answers = kept

    def request(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Answer:
        """Answer one request: status and JSON body."""
        self._settle()
        key = headers.get("Idempotency-Key", "")
        asked = f"{url} {body}"
        if key in self._answers and self._now() < self._answers[key][0] + KEY_LIFE:
            _, before, answer = self._answers[key]
            return answer if before == asked else _error(400, "idempotency_error", "")
        address = urlsplit(url)
        answer = copy.deepcopy(self._route(method, address.path.split("/")[2:], body or address.query))
        if key and method == "POST":
            self._answers[key] = self._now(), asked, answer
        return answer

    def fail(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Answer:
        """Answer 500 without doing anything, and again whenever the request's key is used for a day."""
        answer = _error(500, "api_error", "")
        key = headers.get("Idempotency-Key", "")
        if key and method == "POST":
            self._answers[key] = self._now(), f"{url} {body}", answer
        return answer

    def _route(self, method: str, path: list[str], form: str) -> Answer:  # noqa: PLR0911 - one for each request
        params = dict(parse_qsl(form))
        match (method, path):
            case "POST", ["payment_intents"]:
                return self._create(params)
            case "GET", ["payment_intents"]:
                return _page(list(self.intents.values())[::-1])
            case "GET", ["payment_intents", given]:
                return 200, self.intents[given]
            case "POST", ["payment_intents", given, "confirm"]:
                return self._confirm(self.intents[given])
            case "POST", ["payment_intents", given, "cancel"]:
                return self._cancel(self.intents[given])
            case "POST", ["refunds"]:
                return self._refund(self.intents[params["payment_intent"]], int(params["amount"]))
            case "GET", ["disputes"]:
                return _page([d for d in self.disputes if d["payment_intent"] == params["payment_intent"]])
            case "GET", ["refunds"]:
                return _page([r for r in self.refunds if r["payment_intent"] == params["payment_intent"]])
        raise NotImplementedError(f"{method} {path}")

    def _create(self, params: dict[str, str]) -> Answer:
        if params["payment_method"] not in (*GOOD.values(), *BAD.values(), LATE, DISPUTED):
            return _error(400, "invalid_request_error", "resource_missing")
        intent: Json = {
            "id": f"pi_{len(self.intents) + 1}",
            "object": "payment_intent",
            "amount": int(params["amount"]),
            "amount_received": 0,
            "created": int(self._now().timestamp()),
            "currency": params["currency"],
            "payment_method": params["payment_method"],
            "payment_method_types": [params["payment_method_types[0]"]],
            "metadata": {name: params[f"metadata[{name}]"] for name in ("order_id", "attempt")},
            "status": "requires_confirmation",
            "last_payment_error": None,
        }
        self.intents[intent["id"]] = intent
        return 200, intent

    def _confirm(self, intent: Json) -> Answer:
        if intent["status"] != "requires_confirmation":
            return _error(400, "invalid_request_error", "payment_intent_unexpected_state", intent)
        if intent["payment_method_types"] == ["sepa_debit"]:
            intent["status"] = "processing"
            late = intent["payment_method"] == LATE
            self._settling[intent["id"]] = self._now() + (_FIVE_DAYS if late else self._settles_after)
            return 200, intent
        self._end(intent)
        if intent["status"] == "succeeded":
            return 200, intent
        return _error(402, "card_error", "card_declined", intent)

    def _cancel(self, intent: Json) -> Answer:
        if intent["status"] not in _CANCELABLE:
            return _error(400, "invalid_request_error", "payment_intent_unexpected_state", intent)
        intent["status"] = "canceled"
        return 200, intent

    def _refund(self, intent: Json, amount: int) -> Answer:
        if any(dispute["payment_intent"] == intent["id"] for dispute in self.disputes):
            return _error(400, "invalid_request_error", "charge_disputed")
        left = intent["amount_received"] - sum(
            r["amount"] for r in self.refunds if r["payment_intent"] == intent["id"]
        )
        if left <= 0 or amount > left:
            return _error(400, "invalid_request_error", "" if left > 0 else "charge_already_refunded")
        number = len(self.refunds) + 1
        refund = {"id": f"re_{number}", "object": "refund", "amount": amount, "status": "succeeded"}
        self.refunds.append({**refund, "payment_intent": intent["id"]})
        return 200, self.refunds[-1]

    def _settle(self) -> None:
        for given in [given for given, at in self._settling.items() if at <= self._now()]:
            del self._settling[given]
            self._end(self.intents[given])

    def _end(self, intent: Json) -> None:
        if intent["payment_method"] in (*GOOD.values(), LATE, DISPUTED):
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        else:
            error = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}
            intent |= {"status": "requires_payment_method", "last_payment_error": error}
        if intent["payment_method"] == DISPUTED:
            number = f"du_{len(self.disputes) + 1}"
            dispute = {
                "id": number,
                "object": "dispute",
                "amount": intent["amount"],
                "status": "needs_response",
            }
            self.disputes.append(dispute | {"payment_intent": intent["id"]})


def encoded(answer: Answer) -> tuple[int, bytes]:
    """Write an answer as it goes over the wire."""
    status, body = answer
    return status, json.dumps(body).encode()


def _page(found: list[Json]) -> Answer:
    return 200, {"object": "list", "has_more": False, "data": found}


def _error(status: int, kind: str, code: str, intent: Json | None = None) -> Answer:
    error: Json = {"type": kind, "code": code, "message": code}
    if intent is not None:
        error["payment_intent"] = intent
    if status == 402:
        error["decline_code"] = "insufficient_funds"
    return status, {"error": error}
