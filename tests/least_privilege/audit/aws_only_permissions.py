"""What a permission looks like that AWS needs where the embedded AWS asks nothing, and that is never seen.

The tables of them are `of_stacks.py` and `of_pipelines.py`. Tests hold each entry to it: its statement grants
every action, and no call ever rests on it, or it would be proven and the entry a lie.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AwsOnlyPermission:
    """Some actions of one statement that a service performs on AWS alone.

    Attributes:
        service: Who takes the role on, as `lambda`.
        sid: The statement.
        actions: What it does by it.
        why: When it does, and why nothing here asks.
        source: The page of AWS's documentation that says so.
    """

    service: str
    sid: str
    actions: tuple[str, ...]
    why: str
    source: str
