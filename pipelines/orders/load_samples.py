"""Samples sent to the data API of a stack; sending them again changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from payment_data.errors import IdempotencyMismatch, Problem
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from payment_data.client import DataApi
    from pipelines.orders.samples import Samples


def load(api: DataApi, samples: Samples, reporter: Reporter = NOBODY) -> dict[str, int]:
    """Create the products, users and orders.

    Args:
        api: The data API of the stack.
        samples: What `samples.read` found to be right.
        reporter: Told of each record.

    Returns:
        How many of each kind are there now.

    Raises:
        Refused: The data API would not take one of them; what came before stays, and loading
            the mended files again is safe.
    """

    def send(kind: str, put: Callable[[str, dict[str, Any]], object], key: str, body: dict[str, Any]) -> None:
        reporter.passing(f"{kind} {key}")
        try:
            put(key, body)
        except IdempotencyMismatch as mismatch:
            raise Refused(f"{kind} {key} is there already, and is another one: {mismatch}") from mismatch
        except Problem as problem:
            raise Refused(f"{kind} {key} was not taken: {type(problem).__name__}: {problem}") from problem

    work = (
        ("product", api.put_product, samples.products),
        ("user", api.put_user, samples.users),
        ("order", api.put_order, samples.orders),
    )
    with ThreadPoolExecutor(max_workers=4) as pool:
        for kind, put, bodies in work:
            for sent in [pool.submit(send, kind, put, key, body) for key, body in bodies.items()]:
                sent.result()
    return {f"{kind}s": len(bodies) for kind, _, bodies in work}
