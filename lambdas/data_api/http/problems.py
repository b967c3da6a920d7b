"""Failures of the database as problems: did nothing happen, or can nobody tell?"""

from pymongo.errors import PyMongoError

from data_api.storage.connection import may_have_written
from payment_data.errors import ApiUnavailable, OutcomeUnknown, Problem


def database_problem(error: PyMongoError) -> Problem:
    """Return what a failure of MongoDB means to the caller.

    A request that has sent no write has done nothing, whatever happened to its reads. The error's own message
    stays out: it names hosts and may quote documents.
    """
    name = type(error).__name__
    if may_have_written():
        return OutcomeUnknown(f"the connection to the database was lost after a write was sent ({name})")
    return ApiUnavailable(f"the database cannot be reached ({name})")
