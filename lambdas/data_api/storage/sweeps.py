"""Where the last sweep of unfinished orders stopped: one document."""

from data_api.domain.requests import Document
from data_api.storage.database import Db

_KEY = {"_id": "sweep"}


def keep(db: Db, place: Document) -> None:
    """Keep a place {state?, after?}, instead of the one before."""
    db.progress.replace_one(_KEY, _KEY | place, upsert=True)


def find(db: Db) -> Document:
    """Return the place, empty where there is none."""
    return db.progress.find_one(_KEY, {"_id": False}) or {}
