"""The type of the database that storage works on."""

from pymongo.database import Database

from data_api.domain.requests import Document

Db = Database[Document]
