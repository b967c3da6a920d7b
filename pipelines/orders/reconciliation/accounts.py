"""Does a product's stock or a user's money add up, and has every account of the ledger an owner?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.orders.reconciliation.differences import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIDES: Final = {
    "products": ("product", {"free": "available", "taken": "held", "gone": "sold"}),
    "users": ("user", {"free": "balance", "taken": "charged", "gone": "spent"}),
}


def account_differences(
    kind: str, account: dict[str, Any], so_far: Iterable[Difference]
) -> Iterator[Difference]:
    """Yield what does not add up in a product or a user of `GET /audit/products` or `/audit/users`.

    Args:
        kind: products or users.
        account: The answer's document.
        so_far: The differences of orders, to name the one that explains a sum.
    """
    word, sides = _SIDES[kind]
    name = f"{word}:{account['id']}"
    by_order = {d.order_id for d in so_far if d.order_id and d.account.startswith(f"{name}:")}
    order_id = ", ".join(sorted(by_order)) or None
    for stray in account["strays"]:
        yield Difference(
            name, stray, "a record of an order that is unknown, settled or synthetic", "none", "a record"
        )
    if account.get("books") == "synthetic":
        yield Difference(
            name, None, "only smoke executions make synthetic ones", "not synthetic", "synthetic"
        )
    if not account["as_opened"]:
        yield Difference(name, None, "what it began with", "as it was created", "changed since")
    if "opening" not in account:
        yield Difference(name, order_id, "what it began with is not on record", "an opening", "none")
        return
    whole = account["free"] + account["taken"] + account["gone"]
    if whole != account["opening"]:
        what = f"{sides['free']} + {sides['taken']} + {sides['gone']} is not what it began with"
        yield Difference(name, order_id, what, account["opening"], whole, name, whole - account["opening"])
    if account.get("books") == "entered":
        yield from _with_ledger(account, name, sides, order_id)


def _with_ledger(
    account: dict[str, Any], name: str, sides: dict[str, str], order_id: str | None
) -> Iterator[Difference]:
    """Compare with the ledger, which lacks what is pending."""
    ledger, pending = account["ledger"], account["pending"]
    documents = {
        "free": account["free"] + pending,
        "taken": account["taken"] - pending,
        "gone": account["gone"],
        "opening": -account["opening"],
    }
    for side, amount in documents.items():
        if amount != ledger[side]:
            word = sides.get(side, side)
            what = f"the ledger has another sum in {word}, without {pending} pending"
            yield Difference(
                name, order_id, what, ledger[side], amount, f"{name}:{word}", amount - ledger[side]
            )


def owner_differences(owners: Iterable[dict[str, Any]]) -> Iterator[Difference]:
    """Yield the owners of accounts in the ledger, of `GET /audit/ledger`, that do not exist."""
    for owner in owners:
        if not owner["known"]:
            name = owner["owner"]
            yield Difference(name, None, "it has accounts in the ledger", "to exist", "unknown")
