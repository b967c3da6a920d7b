"""A change of state: a compare-and-set that writes its own entry in the history.

Both are one write, stamped by MongoDB's clock (`$$NOW`, `$currentDate`), not by a sandbox's that may have
been frozen in between.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

from data_api.domain.requests import Document

_State = TypeVar("_State", bound=str)


def change(
    key: str,
    sources: Collection[_State],
    target: _State,
    diagram: Mapping[_State, Collection[_State]],
    *,
    execution: str,
    reason: str | None,
) -> tuple[Document, Document]:
    """Return the condition under which a document changes, and what a pipeline then has to set.

    Args:
        key: the document's `_id`.
        sources: states it may come from.
        target: the state it goes to.
        diagram: from a state to those it may change to.
        execution: who asks, for the history.
        reason: why, for the history.

    Returns:
        A query for MongoDB, and the stage `$set` of a pipeline: {state, updated_at, history}.

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    _check(sources, target, diagram)
    condition: Document = {"_id": key, "state": {"$in": sorted(sources)}}
    entry: Document = {"at": "$$NOW", "from": "$state", "to": target}
    entry |= {"execution": {"$literal": execution}, "reason": {"$literal": reason}}
    history = {"$concatArrays": ["$history", [entry]]}
    return condition, {"state": target, "updated_at": "$$NOW", "history": history}


def change_of_read(
    key: str,
    source: _State,
    target: _State,
    diagram: Mapping[_State, Collection[_State]],
    *,
    entries: int,
    execution: str,
    reason: str | None,
) -> tuple[Document, Document]:
    """Return query and update, {$set, $currentDate}, of a change whose document was read: a tenth cheaper.

    Args:
        key: the document's `_id`.
        source: the state it was read in, which it is in only once.
        target: the state it goes to.
        diagram: from a state to those it may change to.
        entries: how many its history had.
        execution: who asks, for the history.
        reason: why, for the history.

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    _check({source}, target, diagram)
    fence: Document = {"state": source, "history": {"$size": entries}}
    entry = {"from": source, "to": target, "execution": execution, "reason": reason}
    place = f"history.{entries}"
    fields = {"state": target} | {f"{place}.{name}": value for name, value in entry.items()}
    return {"_id": key, **fence}, {"$set": fields, "$currentDate": {"updated_at": True, f"{place}.at": True}}


def _check(sources: Collection[_State], target: _State, diagram: Mapping[_State, Collection[_State]]) -> None:
    if illegal := [source for source in sources if target not in diagram[source]]:
        raise ValueError(f"no change from {illegal} to {target}")
