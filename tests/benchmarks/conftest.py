"""What is measured: what the rehearsal tests deploy, and the data API as its own tests have it."""

from tests.integration.conftest import db, shared_database
from tests.rehearsal.conftest import built, deploy, deployed, here

__all__ = ["built", "db", "deploy", "deployed", "here", "shared_database"]
