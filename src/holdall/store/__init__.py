"""Stores: where models are kept. Store and its async side, transactions, units of work, loading of relations, events."""

from holdall.store.core import EVENTS, system_clock
from holdall.store.store import AsyncStore, Store
from holdall.store.transaction import AsyncTransaction, Transaction

__all__ = ["EVENTS", "AsyncStore", "AsyncTransaction", "Store", "Transaction", "system_clock"]
