"""One request in, one answer out: deterministic, synchronous, one at a time.

The instant and the seed come from the caller, so replaying the journal makes the same objects with the same
ids.
"""

import re
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.errors import UserError  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import faults, localstripe_setup, payment_intents, payment_methods, refunds
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params, check_known, created_since, listing


class Answer(NamedTuple):
    """The answer to a request, and whether the request was executed (past validation)."""

    status: int
    body: dict[str, Any]
    executed: bool = True


class StripeApi:
    """The API over all objects of the gateway, which are in memory."""

    def __init__(self) -> None:
        self._open: dict[str, Object] = {}  # bank debits that have not ended

    def apply(self, method: str, path: str, params: Params, *, at: float, seed: str) -> Answer:
        """Execute one request at the instant `at` (seconds since the epoch), with ids drawn from `seed`."""
        self._settle(at)
        localstripe_setup.at(at, seed)
        try:
            return Answer(200, self._route(method, path)(dict(params)))
        except faults.Fault as fault:
            return _answer(fault)
        except UserError as error:  # localstripe's own validation
            return _answer(faults.invalid(error.body["error"].get("message") or "Bad request"))
        except Exception:  # noqa: BLE001 - a bug of ours or of localstripe is an HTTP 500, as it would be there
            traceback.print_exc()
            return _answer(faults.broken())

    def _settle(self, instant: float) -> None:
        for intent in list(self._open.values()):
            payment_intents.settle(intent, instant)
            if intent._settles_at is None:
                del self._open[intent.id]

    def _route(self, method: str, path: str) -> Callable[[Params], Params]:
        for wanted, pattern, action in self._routes():
            if wanted == method and (match := re.fullmatch(pattern, path)):
                return lambda params: action(*match.groups(), params)
        raise faults.not_emulated(method, path)

    def _routes(self) -> Sequence[tuple[str, str, Callable[..., Params]]]:
        by_id = r"/(\w+)"
        intents, methods, customers = "/v1/payment_intents", "/v1/payment_methods", "/v1/customers"
        return (
            ("POST", intents, self._create),
            ("GET", intents, self._list_intents),
            ("GET", intents + by_id, self._show_intent),
            ("POST", intents + by_id + "/confirm", self._confirm),
            ("POST", intents + by_id + "/cancel", self._on_intent(payment_intents.cancel)),
            ("POST", intents + by_id + "/capture", self._on_intent(payment_intents.capture)),
            ("POST", "/v1/refunds", refunds.create),
            ("GET", "/v1/refunds", self._list_refunds),
            ("GET", "/v1/refunds" + by_id, self._show_refund),
            ("GET", "/v1/disputes", self._list_disputes),
            ("GET", "/v1/disputes" + by_id, refunds.retrieve),
            ("POST", "/v1/disputes" + by_id, refunds.submit),
            ("POST", methods, payment_methods.create_method),
            ("GET", methods + by_id, payment_methods.retrieve_method),
            ("POST", methods + by_id + "/attach", payment_methods.attach_method),
            ("POST", customers, payment_methods.create_customer),
            ("GET", customers + by_id, payment_methods.retrieve_customer),
        )

    def _on_intent(self, action: Callable[[Object, Params], Params]) -> Callable[[str, Params], Params]:
        return lambda intent_id, params: action(_find("payment_intent", intent_id), params)

    def _create(self, params: Params) -> Params:
        return self._watched(payment_intents.create(params))

    def _confirm(self, intent_id: str, params: Params) -> Params:
        return self._watched(payment_intents.confirm(_find("payment_intent", intent_id), params))

    def _watched(self, shown: Params) -> Params:
        if shown["status"] == "processing":
            self._open[shown["id"]] = _find("payment_intent", shown["id"])
        return shown

    def _show_intent(self, intent_id: str, params: Params) -> Params:
        expand = tuple(params.pop("expand", ()))
        check_known(params, ())
        return payment_intents.export(_find("payment_intent", intent_id), expand)

    def _list_intents(self, params: Params) -> Params:
        check_known(params, ("limit", "starting_after", "created", "customer", "expand"))
        expand = tuple(field.removeprefix("data.") for field in params.get("expand", ()))
        since = created_since(params)
        intents = [
            thing
            for key, thing in reversed(resources.store.items())
            if key.startswith("payment_intent:")
            and thing.created >= since
            and params.get("customer") in (None, thing.customer)
        ]
        return _page("/v1/payment_intents", intents, params, partial(payment_intents.export, expand=expand))

    def _list_refunds(self, params: Params) -> Params:
        check_known(params, ("limit", "starting_after", "payment_intent", "charge"))
        return _page("/v1/refunds", refunds.matching(params), params, refunds.export)

    def _list_disputes(self, params: Params) -> Params:
        listed = [
            SimpleNamespace(id=dispute["id"], view=dispute) for dispute in refunds.matching_disputes(params)
        ]
        return _page("/v1/disputes", listed, params, lambda dispute: dict(dispute.view))

    def _show_refund(self, refund_id: str, params: Params) -> Params:
        check_known(params, ())
        return refunds.export(_find("refund", refund_id))


def _answer(fault: faults.Fault) -> Answer:
    return Answer(fault.status, fault.body, fault.executed)


def _find(kind: str, object_id: str) -> Object:
    thing = resources.store.get(f"{kind}:{object_id}")
    if thing is None:
        raise faults.missing(kind, object_id, "intent" if kind == "payment_intent" else "id")
    return thing


def _page(url: str, objects: Sequence[Object], params: Params, export: Callable[[Object], Params]) -> Params:
    limit, after = listing(params)
    start = next((place + 1 for place, thing in enumerate(objects) if thing.id == after), 0) if after else 0
    page = objects[start : start + limit]
    more = len(objects) > start + limit
    return {"object": "list", "url": url, "has_more": more, "data": [export(thing) for thing in page]}
