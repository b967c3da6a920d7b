"""Keep where a sweep of unfinished orders stopped, so that the next one goes on there."""

from data_api.domain.requests import Document
from data_api.schemas.views import Answer
from data_api.storage import sweeps
from data_api.storage.database import Db


def keep_sweep(db: Db, place: Document) -> Answer:
    """Keep where a sweep stopped; without a place, that it came to the end."""
    sweeps.keep(db, place)
    return Answer(place)


def show_sweep(db: Db) -> Answer:
    """Return where the last sweep stopped; without a place, it came to the end."""
    return Answer(sweeps.find(db))
