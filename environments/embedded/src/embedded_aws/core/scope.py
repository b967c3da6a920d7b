"""The shapes that requests, answers and stored records have in common."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region that a request acts in."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Name a resource of ours."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
