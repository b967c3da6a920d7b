"""One request with its idempotency key and the journal around it.

https://docs.stripe.com/api/idempotent_requests: the first answer of a key is kept for 24 hours whether it
is a success or not, and given again; other parameters are refused; a request that fails validation, or that
comes while its key is being executed, keeps nothing.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from embedded_aws.card_gateway import faults
from embedded_aws.card_gateway.api import StripeApi
from embedded_aws.card_gateway.journal import Journal, Request


class Diverged(RuntimeError):  # noqa: N818 - a word says it
    """Replaying the journal did not make what it made at first."""


class Reply(NamedTuple):
    """An HTTP answer; `replayed` when it is the one kept under the request's key."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


class Service:
    """The gateway without HTTP.

    Args:
        journal: where it keeps what it did, and takes it up from.
        thinking_seconds: how long every change takes, as a bank's answer does.
        clock: seconds since the epoch.

    Raises:
        Diverged: the journal cannot be replayed by this version.
    """

    def __init__(
        self, journal: Journal, thinking_seconds: float = 0.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._journal = journal
        self._thinking = thinking_seconds
        self._clock = clock
        self._api = StripeApi()
        self._in_use: set[str] = set()
        for done in journal.requests():
            again = self._api.apply(done.method, done.path, done.params, at=done.at, seed=done.seed)
            if (again.status, again.body.get("id")) != (done.status, done.made):
                raise Diverged(f"{done.method} {done.path} made {again.body.get('id')}, not {done.made}")

    async def handle(self, method: str, path: str, params: dict[str, Any], key: str | None) -> Reply:
        """Answer one request, at most once per key."""
        try:
            if method == "GET":
                answer = self._api.apply(method, path, params, at=self._clock(), seed=secrets.token_hex(16))
                return Reply(answer.status, answer.body)
            if key is None:
                return await self._execute(path, params, None)
            return self._kept(key, path, params) or await self._with_key(key, path, params)
        except faults.Fault as fault:
            return Reply(fault.status, fault.body)

    def _kept(self, key: str, path: str, params: dict[str, Any]) -> Reply | None:
        saved = self._journal.answer(key, now=self._clock())
        if saved is None:
            return None
        if saved.path != path:
            raise faults.key_reused(key, endpoint=(path, saved.path))
        if saved.params != params:
            raise faults.key_reused(key)
        return Reply(saved.status, saved.body, replayed=True)

    async def _with_key(self, key: str, path: str, params: dict[str, Any]) -> Reply:
        if key in self._in_use:
            raise faults.key_in_use(key)
        self._in_use.add(key)
        try:
            return await self._execute(path, params, key)
        finally:
            self._in_use.remove(key)

    async def _execute(self, path: str, params: dict[str, Any], key: str | None) -> Reply:
        await asyncio.sleep(self._thinking)
        at, seed = self._clock(), secrets.token_hex(16)
        answer = self._api.apply("POST", path, params, at=at, seed=seed)
        if answer.executed:
            request = Request(at, seed, "POST", path, params, answer.status, answer.body.get("id"))
            self._journal.record(request, key=key, body=answer.body)
        return Reply(answer.status, answer.body)
