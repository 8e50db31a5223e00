"""TinyDB with its MemoryStorage.

It has no index, no order and no keys but integers: the UUID's integer is the document id, which is its fastest way to one document; order
is Python's `sorted`. Its query cache is off: a repeated question would otherwise not be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tinydb import TinyDB, where
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from bench.data import Row, as_dicts


class Peer:
    """TinyDB behind the protocol. Documents keep Python values as they are: nothing is decoded."""

    name = "TinyDB"

    def __init__(self, records: Sequence[Row]) -> None:
        self._database = TinyDB(storage=MemoryStorage)
        self._table = self._database.table("record", cache_size=0)
        self._table.insert_multiple(Document(each, doc_id=each["id"].int) for each in as_dicts(records))

    def get(self, key: UUID) -> object:
        """By document id."""
        return self._table.get(doc_id=key.int)

    def in_city(self, city: str) -> Sequence[object]:
        """A search: a scan over all documents."""
        return self._table.search(where("city") == city)

    def lowest(self, low: int, limit: int) -> Sequence[object]:
        """A search, sorted and cut in Python."""
        return sorted(self._table.search(where("rank") >= low), key=lambda each: each["rank"])[:limit]

    def close(self) -> None:
        """Release the database."""
        self._database.close()
