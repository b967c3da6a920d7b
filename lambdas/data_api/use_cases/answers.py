"""What a use case returns: a status and a JSON body."""

from typing import NamedTuple

from data_api.domain.documents import Document


class Answer(NamedTuple):
    """An HTTP answer; no body with 204."""

    body: Document | None
    status: int = 200
