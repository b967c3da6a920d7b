"""The words of an API call: the account and region it acts in, JSON documents, and refusals."""

from collections.abc import Mapping
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


def parameter(parameters: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return a parameter of a request in the query protocol, which parses to lists of one value."""
    values = parameters.get(name, default)
    return str(values[0] if isinstance(values, list) and values else values or default)


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: the exception's name in the service's API, such as `PipelineNotFoundException`.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class NotEmulated(ApiError):  # noqa: N818 - it says what happened, as the other errors here do
    """Something that AWS does and the embedded AWS does not."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "NotEmulatedException",
            f"{what} is not emulated here: the embedded AWS runs what promotions by CodePipeline use.",
        )
