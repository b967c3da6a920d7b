"""A change of state: a compare-and-set that writes its own entry in the history.

Both are one write, stamped by MongoDB's clock (`$$NOW`), not by a sandbox's that may have been frozen in
between.
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

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    if illegal := [source for source in sources if target not in diagram[source]]:
        raise ValueError(f"no change from {illegal} to {target}")
    condition: Document = {"_id": key, "state": {"$in": sorted(sources)}}
    entry: Document = {"at": "$$NOW", "from": "$state", "to": target}
    entry |= {"execution": {"$literal": execution}, "reason": {"$literal": reason}}
    history = {"$concatArrays": ["$history", [entry]]}
    return condition, {"state": target, "updated_at": "$$NOW", "history": history}
